// Staying at the end while the reader is there, and never pulling them away from elsewhere.

import { $ } from "./state.js";

const NEAR = 90; // pixels from the end that still count as reading the newest
const HAND = 1500; // milliseconds in which a thrown list may still roll

const box = $("scroll");
let sticks = true;
let touched = -1e9; // when a hand last moved the messages
let top = 0; // where the reader was at the last look
let missed = 0;

export const following = () => sticks;

export function miss() {
  if (!sticks) missed += 1;
  drawDown();
}

export function toEnd() {
  box.scrollTop = box.scrollHeight;
  top = box.scrollTop;
  sticks = true;
  missed = 0;
  drawDown();
}

export function jump(id) {
  const node = $("messages").querySelector(`[data-id="${Number(id)}"]`);
  if (!node) return;
  sticks = false;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  node.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
  node.classList.remove("found");
  void node.offsetWidth; // starts the animation again
  node.classList.add("found");
}

// What `grow` adds above leaves the words under the reader's eyes where they are.
export function keepingPlace(grow) {
  const height = box.scrollHeight;
  grow();
  box.scrollTop += box.scrollHeight - height;
}

function drawDown() {
  $("down").hidden = sticks;
  $("down-count").hidden = !missed;
  $("down-count").textContent = String(missed);
}

function scrolled(read) {
  const near = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
  // Growing texts and keyboards move things too: only what follows a hand is the reader's wish.
  if (near) sticks = true;
  else if (performance.now() - touched < HAND && box.scrollTop < top) sticks = false;
  top = box.scrollTop;
  if (sticks) missed = 0;
  drawDown();
  read();
}

// `read` is called when the reader may have seen more.
export function wireScroll(read) {
  box.addEventListener("scroll", () => scrolled(read), { passive: true });
  for (const hand of ["wheel", "touchstart", "touchmove", "pointerdown", "keydown"]) {
    box.addEventListener(hand, () => { touched = performance.now(); }, { passive: true });
  }
  const follow = new ResizeObserver(() => {
    if (sticks) toEnd();
  });
  for (const node of [box, $("messages"), $("typing")]) follow.observe(node);
  $("down").addEventListener("click", toEnd);
}
