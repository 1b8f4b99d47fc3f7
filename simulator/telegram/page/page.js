// The one place that joins the parts, and begins.

import { acts, writing } from "./acting.js";
import { markRead } from "./chats.js";
import { Composer } from "./composer.js";
import { showEarlier } from "./messages.js";
import { begin } from "./people.js";
import { following, keepingPlace, wireScroll } from "./scroll.js";
import { $, state } from "./state.js";
import { fail } from "./toast.js";

function leaveOnEscape(event) {
  const wide = matchMedia("(min-width: 760px)").matches;
  const busy = document.querySelector("dialog[open], :popover-open") || !$("menu").hidden || state.composer.about;
  if (event.key === "Escape" && !wide && !busy && state.open !== null) acts.open(null);
}

state.acts = acts;
state.composer = new Composer(writing);
wireScroll(() => markRead(following()));
$("back").addEventListener("click", () => acts.open(null));
$("start").addEventListener("click", () => acts.start());
$("earlier").addEventListener("click", () => keepingPlace(showEarlier));
$("viewer").addEventListener("click", () => $("viewer").close());
document.addEventListener("visibilitychange", () => markRead(following()));
document.addEventListener("keydown", leaveOnEscape);
begin().catch(fail);
