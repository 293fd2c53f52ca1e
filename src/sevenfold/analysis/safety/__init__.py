"""Safety: adverse events, graded laboratory values, cytokine release for adjudication, days free of organ support."""
