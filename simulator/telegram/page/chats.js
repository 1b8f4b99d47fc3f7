// The list of chats, with what was said last and what is unread.

import { avatar, isService, summary } from "./bubbles.js";
import { button, clock, make } from "./drawing.js";
import { $, current, state } from "./state.js";

const TRIES = 3;

export async function refresh() {
  let told;
  let before;
  // What happened while the answer was on its way is not in it.
  for (let left = TRIES; left && before !== state.heard; left -= 1) {
    before = state.heard;
    told = await state.me.overview();
  }
  // Whether the bot is there, only the stream knows: it tells every change.
  state.bot = { ...told.bot, is_there: state.bot?.is_there ?? told.bot.is_there };
  state.chats = new Map(told.chats.map((chat) => [chat.id, chat]));
  drawChats();
}

export function chatName(chat) {
  return chat.type === "private" ? state.bot.first_name : chat.title;
}

export function chatAvatar(chat) {
  return chat.type === "private" ? avatar(state.bot, { bot: true }) : avatar(chat, { group: true });
}

export function drawChats() {
  $("chats").replaceChildren(...[...state.chats.values()].map(drawChat));
  const unread = [...state.chats.values()].reduce((sum, chat) => sum + chat.unread, 0);
  document.title = (unread ? `(${unread}) ` : "") + (state.bot?.first_name ?? "Chat");
}

function drawChat(chat) {
  const name = make("strong", "", chatName(chat));
  name.dir = "auto";
  const top = make("span", "chat-top", name);
  if (chat.last) top.append(make("time", "", clock(chat.last.date)));
  const line = make("span", "chat-line");
  const last = make("span", chat.typing ? "is-typing" : "", chat.typing ? "typing…" : lastLine(chat));
  last.dir = "auto";
  line.append(last);
  if (chat.unread) {
    const badge = make("span", "badge", String(chat.unread));
    badge.setAttribute("aria-label", `${chat.unread} unread`);
    line.append(badge);
  }
  const row = button("chat", "", () => state.acts.open(chat.id), chatAvatar(chat));
  row.append(make("span", "chat-text", top, line));
  if (chat.id === state.open) row.setAttribute("aria-current", "true");
  return make("li", "", row);
}

function lastLine(chat) {
  const { last } = chat;
  if (!last) return chat.type === "private" ? "Say hello" : "Nobody has written yet";
  const who = last.from.id === state.me.id ? "You: " : chat.type === "private" ? "" : `${last.from.first_name}: `;
  return isService(last) ? summary(last) : who + summary(last);
}

export function markRead(atEnd) {
  const chat = current();
  if (!chat?.unread || document.hidden || !atEnd) return;
  chat.unread = 0;
  drawChats();
  state.me.read(chat.id).catch(() => {});
}
