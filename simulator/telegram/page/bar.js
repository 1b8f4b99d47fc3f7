// The bar above a chat: who it is, what they do, topics, and what is wrong.

import { chatAvatar, chatName } from "./chats.js";
import { button } from "./drawing.js";
import { $, current, ordered, state } from "./state.js";
import { fail } from "./toast.js";

export function drawBar() {
  const chat = current();
  if (!chat) return;
  $("bar-avatar").replaceChildren(chatAvatar(chat));
  $("bar-title").textContent = chatName(chat);
  const line = $("bar-state");
  line.classList.toggle("is-typing", Boolean(state.typing));
  line.textContent = state.typing ? "typing…" : stateOf(chat);
  // Whoever has begun to answer need not show it twice.
  $("typing").hidden = !state.typing || Boolean(ordered().at(-1)?.from.is_bot);
  drawTopics(chat);
  drawMore(chat);
  drawNotice(chat);
  drawStart(chat);
}

function stateOf(chat) {
  if (chat.type === "private") return state.bot.is_there ? "online" : "away";
  return [...chat.members.map((it) => it.first_name), state.bot.first_name].join(", ");
}

// One large button where there is only one thing to do.
function drawStart(chat) {
  const isPrivate = chat.type === "private";
  const empty = isPrivate && !state.messages.size;
  const start = $("start");
  start.hidden = !empty && !chat.away;
  start.textContent = !chat.away ? "Start" : isPrivate ? "Unblock" : "Bring the bot back";
  $("composer").hidden = !start.hidden && !(chat.away && !isPrivate);
}

function drawNotice(chat) {
  const notice = $("notice");
  let words = "";
  if (!state.connected) words = "The connection to the simulator is lost. Trying again…";
  else if (chat.away) words = chat.type === "private" ? "You blocked this bot." : "The bot is not in this group.";
  else if (!state.bot.is_there) words = "The bot is away. Messages wait for it.";
  notice.hidden = !words;
  if (notice.textContent !== words) notice.textContent = words;
}

function drawTopics(chat) {
  const box = $("topics");
  box.hidden = !chat.topics.length;
  const choices = [{ id: null, name: "All" }, ...chat.topics];
  box.replaceChildren(
    ...choices.map((topic) => {
      const chip = button("chip", "", () => state.acts.topic(topic.id), topic.name);
      chip.setAttribute("aria-pressed", String(topic.id === state.thread));
      return chip;
    }),
  );
}

function drawMore(chat) {
  const { acts } = state;
  const back = chat.away ? "Bring the bot back" : "Remove the bot";
  const grow = chat.type === "group"
    ? ["Make it a supergroup", () => acts.migrate(chat.id)]
    : ["New topic", () => acts.newTopic(chat.id)];
  const entries = chat.type === "private"
    ? [[chat.away ? "Unblock the bot" : "Block the bot", () => state.me.block(!chat.away)]]
    : [[back, () => state.me.bot(chat.id, Boolean(chat.away))], grow];
  $("more-menu").replaceChildren(
    ...entries.map(([label, act]) =>
      button("", "", () => {
        $("more-menu").hidePopover();
        act().catch(fail);
      }, label),
    ),
  );
}

export function setTyping(seconds) {
  clearTimeout(state.typing);
  state.typing = seconds ? setTimeout(() => setTyping(0), seconds * 1000) : null;
  if (state.open !== null) drawBar();
}
