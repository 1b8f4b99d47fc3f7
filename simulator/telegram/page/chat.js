// Opening a chat and loading what stands in it.

import { drawBar, setTyping } from "./bar.js";
import { drawChats, markRead, refresh } from "./chats.js";
import { heard } from "./events.js";
import { drawMessages, showNewest } from "./messages.js";
import { following, toEnd } from "./scroll.js";
import { $, current, state } from "./state.js";

let turn = 0;

export async function openChat(id) {
  state.open = id;
  state.thread = null;
  showNewest();
  history.replaceState(null, "", id === null ? `#${state.me.id}` : `#${state.me.id}/${id}`);
  $("app").dataset.screen = id === null ? "list" : "chat";
  $("conversation").hidden = id === null;
  drawChats();
  if (id === null) return;
  state.composer.reset({ commands: current().commands, isGroup: id < 0, botName: state.bot.username });
  await load();
  state.composer.focus();
}

async function load() {
  const id = state.open;
  const mine = (turn += 1);
  state.queue ??= [];
  const told = id === null ? [] : await state.me.messages(id);
  // Of several that overlap only the last may say what is there.
  if (mine !== turn) return;
  state.messages = new Map(told.map((it) => [it.message_id, it]));
  const waiting = state.queue;
  state.queue = null;
  for (const [name, what] of waiting) heard(name, what);
  if (id === null) return;
  setTyping(current()?.typing ? 5 : 0);
  drawBar();
  drawMessages();
  toEnd();
  markRead(following());
}

export async function reload() {
  state.queue ??= [];
  await refresh();
  if (current()) state.composer.setCommands(current().commands);
  await load();
}
