// Opens a sealed envelope: HKDF-SHA-256 makes a key from the code, AES-256-GCM opens the text. Nothing leaves this page.
"use strict";
const given = JSON.parse(document.getElementById("given").textContent);
const form = document.querySelector("form"), shown = document.getElementById("shown"), fault = document.getElementById("fault");
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

async function opened(number, code) {
  const letters = [...code.toUpperCase()].filter((letter) => given.alphabet.includes(letter)).join("");
  const encoder = new TextEncoder(), kept = bytes(given.sealed[number]);
  const raw = await crypto.subtle.importKey("raw", encoder.encode(letters), "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: encoder.encode("sevenfold envelope 1"), info: encoder.encode(number) };
  const key = await crypto.subtle.deriveKey(how, raw, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: kept.slice(0, 12) }, key, kept.slice(12));
  return new TextDecoder().decode(text).replace(/\0+$/, "");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = Object.fromEntries(new FormData(form));
  fault.hidden = shown.hidden = true;
  try {
    const arm = await opened(said.number, said.code);
    const fill = { number: said.number, at: new Date().toString(), who: said.who, why: said.why };
    const told = (sentence) => sentence.replace(/\{(\w+)\}/g, (gap, name) => fill[name] ?? gap);
    document.getElementById("whose").textContent = told(given.told[1]);
    document.getElementById("arm").textContent = arm;
    document.getElementById("record").textContent = said.number + ": " + told(given.told[2]);
    shown.hidden = false;
    shown.scrollIntoView();
  } catch (error) {
    fault.textContent = error.name === "OperationError" ? given.told[0] : given.told[3] + " (" + error + ")";
    fault.hidden = false;
  }
});
if (!globalThis.crypto?.subtle) {
  fault.textContent = given.told[3];
  fault.hidden = false;
}
