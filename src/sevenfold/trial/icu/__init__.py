"""The virtual ICU: the only holder of the treatment in a rehearsal. It answers as people and bodies would at a site."""
