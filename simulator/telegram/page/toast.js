// Short news that goes by itself, and news that has to be read.

import { make } from "./drawing.js";
import { $ } from "./state.js";

const SHOWN = 4200; // milliseconds

export function toast(words, kind = "") {
  const node = make("div", `toast ${kind}`, words);
  node.dir = "auto";
  $("toasts").replaceChildren(node);
  setTimeout(() => node.remove(), SHOWN);
}

export const fail = (error) => toast(error.message, "bad");

export function tell(words) {
  $("alert-text").textContent = words;
  $("alert").showModal();
}

// Resolves to what was typed, or to "" where the person thought better of it.
export async function ask(question) {
  $("ask-title").textContent = question;
  $("ask-input").value = "";
  $("ask").showModal();
  await new Promise((closed) => $("ask").addEventListener("close", closed, { once: true }));
  return $("ask").returnValue === "ok" ? $("ask-input").value.trim() : "";
}
