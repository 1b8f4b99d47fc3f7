// The messages of the open chat. Only what changed is drawn anew, and nothing moves without need.

import { drawMessage, isService } from "./bubbles.js";
import { day, make } from "./drawing.js";
import { $, ordered, state } from "./state.js";
import { drawWelcome } from "./welcome.js";

const SHOWN = 150; // messages drawn at first
const RUN = 300; // seconds between messages of one author that are drawn as one run
const QUIET = 2000; // milliseconds without a change after which a text is whole

const drawn = new Map(); // chat and message id -> [what was drawn, its node]
const days = new Map();
const hushed = new Map(); // chat and message id -> timer
let shown = SHOWN;
let settled = false; // what is there when a chat opens does not arrive

export function showNewest() {
  shown = SHOWN;
  settled = false;
}

export function showEarlier() {
  shown += SHOWN;
  drawMessages();
}

export function drawMessages() {
  const all = gathered(ordered());
  const messages = all.slice(-shown);
  const used = new Set();
  const nodes = messages.flatMap((message, at) => {
    const [before, after] = [messages[at - 1], messages[at + 1]];
    const place = { first: !joined(before, message), last: !joined(message, after) };
    const node = nodeOf(message, place, used);
    return !before || day(before.date) !== day(message.date) ? [dayNode(message.date), node] : [node];
  });
  for (const id of drawn.keys()) if (!used.has(id)) drawn.delete(id);
  put($("messages"), nodes);
  $("earlier").hidden = all.length <= messages.length;
  drawWelcome(!all.length);
  settled = true;
}

function nodeOf(message, place, used) {
  const ctx = { me: state.me.id, isGroup: state.open < 0, acts: state.acts };
  const key = JSON.stringify([message, place, state.me.id]);
  const id = `${state.open}/${message.message_id}`;
  used.add(id);
  const [was, old] = drawn.get(id) ?? [];
  if (was === key) return old;
  const node = drawMessage(message, ctx, place);
  if (old) {
    keepPlace(old, node);
    hush(id, node);
  }
  if (!old && settled) node.classList.add("arrives");
  drawn.set(id, [key, node]);
  return node;
}

// A table that was moved aside, or a key that has the focus, stays so while the text grows.
function keepPlace(old, node) {
  const [before, after] = [old, node].map((it) => [...it.querySelectorAll("pre")]);
  const moved = before.map((it) => it.scrollLeft);
  const keys = [...old.querySelectorAll("button, a")];
  const at = keys.indexOf(document.activeElement);
  queueMicrotask(() => {
    after.forEach((it, number) => (it.scrollLeft = moved[number] ?? 0));
    if (at >= 0) [...node.querySelectorAll("button, a")][at]?.focus({ preventScroll: true });
  });
}

// Who listens hears a text that grows once it is whole, not with every word.
function hush(id, node) {
  node.setAttribute("aria-busy", "true");
  clearTimeout(hushed.get(id));
  hushed.set(id, setTimeout(() => {
    node.removeAttribute("aria-busy");
    hushed.delete(id);
  }, QUIET));
}

// Pictures of one album become one message.
function gathered(messages) {
  const albums = new Map();
  const kept = [];
  for (const message of messages) {
    const album = message.media_group_id && albums.get(message.media_group_id);
    if (album) {
      album.album.push(message);
      continue;
    }
    const copied = message.media_group_id ? { ...message, album: [message] } : message;
    if (message.media_group_id) albums.set(message.media_group_id, copied);
    kept.push(copied);
  }
  return kept;
}

// Moves only what is not in its place: a node that is put in again loses focus and selection.
function put(list, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  let at = list.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else list.insertBefore(node, at);
  }
}

function joined(a, b) {
  if (!a || !b || isService(a) || isService(b)) return false;
  return a.from.id === b.from.id && b.date - a.date < RUN && day(a.date) === day(b.date);
}

function dayNode(date) {
  const words = day(date);
  if (!days.has(words)) days.set(words, make("li", "message service day", make("span", "", words)));
  return days.get(words);
}
