// What stands in a chat where nobody has written yet.

import { chatAvatar, chatName } from "./chats.js";
import { icon, make } from "./drawing.js";
import { $, current, state } from "./state.js";

const PRIVATE = [["chat", "Ask anything"], ["photo", "Send a photo"], ["slash", "Type / for commands"]];
const GROUP = [["at", "Mention"], ["reply", "Reply"], ["slash", "Command"]];

export function drawWelcome(empty) {
  const box = $("welcome");
  box.hidden = !empty;
  if (!empty) return box.replaceChildren();
  const chat = current();
  const isPrivate = chat.type === "private";
  const title = make("h2", "", chatName(chat));
  title.dir = "auto";
  const words = isPrivate
    ? state.bot.description || "Ask a question, send a photo, or press Start to see what I can do."
    : `Write @${state.bot.username}, answer one of its messages, or use a command: then the bot replies.`;
  const text = make("p", "", words);
  text.dir = "auto";
  const hints = (isPrivate ? PRIVATE : GROUP).map(([name, said]) => make("li", "", icon(name), said));
  return box.replaceChildren(chatAvatar(chat), title, text, make("ul", "", ...hints));
}
