// What happens in Telegram, as the simulator tells it.

import { Person } from "./api.js";
import { drawBar, setTyping } from "./bar.js";
import { drawChats, markRead, refresh } from "./chats.js";
import { drawMessages } from "./messages.js";
import { drawPeople } from "./people.js";
import { answered } from "./pressing.js";
import { following, miss } from "./scroll.js";
import { $, current, state } from "./state.js";
import { fail } from "./toast.js";

const LEAVING = 180; // milliseconds that a deleted message takes to go

export function heard(name, what) {
  state.heard += 1;
  if (state.queue && name !== "bot") {
    state.queue.push([name, what]);
    return;
  }
  const hears = { message: onMessage, deleted: onDeleted, typing: onTyping, answer: answered, bot: onBot };
  if (hears[name]) hears[name](what);
  else onChange(name).catch(fail);
}

export function onMessage(message) {
  const chat = state.chats.get(message.chat.id);
  if (!chat) return onChange("people").catch(fail);
  const isNew = !chat.last || message.message_id > chat.last.message_id;
  const byOther = message.from.id !== state.me.id;
  if (isNew || chat.last.message_id === message.message_id) chat.last = message;
  if (isNew && message.from.is_bot) chat.typing = null;
  if (isNew && byOther) chat.unread += 1;
  if (chat.id === state.open) {
    state.messages.set(message.message_id, message);
    if (isNew && message.from.is_bot) setTyping(0);
    drawMessages();
    drawBar();
    if (isNew && byOther) miss();
    markRead(following());
  }
  return drawChats();
}

function onDeleted({ chat_id: chat, message_id: id }) {
  if (chat === state.open) {
    const node = $("messages").querySelector(`[data-id="${id}"]`);
    state.composer.aboutGone(id);
    node?.classList.add("leaves");
    setTimeout(() => {
      if (state.open !== chat) return;
      state.messages.delete(id);
      drawMessages();
      drawBar();
    }, node ? LEAVING : 0);
  }
  refresh().catch(fail);
}

function onTyping({ chat_id: id, seconds }) {
  const chat = state.chats.get(id);
  if (!chat) return;
  chat.typing = { action: "typing" };
  clearTimeout(chat.timer);
  chat.timer = setTimeout(() => {
    chat.typing = null;
    drawChats();
  }, seconds * 1000);
  drawChats();
  if (id === state.open) setTyping(seconds);
}

function onBot(bot) {
  state.bot = { ...state.bot, ...bot };
  drawBar();
}

async function onChange(name) {
  await refresh();
  if (name === "people") {
    state.people = await Person.all();
    drawPeople();
  }
  const chat = current();
  if (!chat) return;
  state.composer.setCommands(chat.commands);
  drawBar();
  drawMessages();
}
