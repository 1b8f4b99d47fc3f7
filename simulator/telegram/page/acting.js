// What a person does: write, send files, choose a topic, copy, look at a picture.

import { drawBar } from "./bar.js";
import { openChat } from "./chat.js";
import { refresh } from "./chats.js";
import { onMessage } from "./events.js";
import { drawMessages } from "./messages.js";
import { press } from "./pressing.js";
import { jump, toEnd } from "./scroll.js";
import { $, current, ordered, state } from "./state.js";
import { ask, fail, toast } from "./toast.js";
import { isPhoto } from "./tray.js";

// What the composer does with what was written. Each returns a promise.
export const writing = {
  say: (text, more = {}) => sent(state.me.say(state.open, text, { ...more, thread: state.thread })),
  edit: (message, text) => state.me.edit(state.open, message.message_id, text),
  files: sendFiles,
  voice: () => sent(state.me.files(state.open, "voice", [new File(["voice"], "voice.oga")])),
  sticker: (emoji) => sent(state.me.sticker(state.open, emoji)),
  lastOwn: () => ordered().findLast((it) => it.from.id === state.me.id && it.text),
};

// What a press somewhere on the page does.
export const acts = {
  open: (chat) => openChat(chat).catch(fail),
  command: (words) => writing.say(withName(words)).catch(fail),
  mention: (words) => state.composer.insert(`${words} `),
  reply: (message) => state.composer.startReply(message),
  edit: (message) => state.composer.startEdit(message),
  start: () => start().catch(fail),
  topic: chooseTopic,
  copy,
  jump,
  migrate,
  newTopic,
  press,
  view,
};

function withName(command) {
  return state.open < 0 && !command.includes("@") ? `${command}@${state.bot.username}` : command;
}

async function sent(promise) {
  const told = await promise;
  for (const message of [told].flat()) {
    if (message?.chat?.id === state.open && !state.messages.has(message.message_id)) onMessage(message);
  }
  toEnd();
}

async function sendFiles(files, caption, more) {
  const photos = files.filter(isPhoto);
  const others = files.filter((it) => !isPhoto(it));
  const extra = { ...more, thread: state.thread };
  if (photos.length) await sent(state.me.files(state.open, "photos", photos, { ...extra, caption }));
  for (const [number, file] of others.entries()) {
    const words = photos.length || number ? "" : caption;
    await sent(state.me.files(state.open, "documents", [file], { ...extra, caption: words }));
  }
}

async function start() {
  const chat = current();
  if (!chat.away) await writing.say("/start");
  else if (chat.type === "private") await state.me.block(false);
  else await state.me.bot(chat.id, true);
}

function chooseTopic(id) {
  state.thread = id;
  drawBar();
  drawMessages();
  toEnd();
}

async function newTopic(chat) {
  const name = await ask("Name of the topic");
  if (!name) return;
  const { thread } = await state.me.topic(chat, name);
  await refresh();
  chooseTopic(thread);
}

async function migrate(chat) {
  const moved = await state.me.migrate(chat);
  await refresh();
  await openChat(moved.id);
}

async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    toast("Copied");
  } catch {
    toast("The browser does not let this page copy.", "bad");
  }
}

function view(source, alt) {
  const image = $("viewer").querySelector("img");
  image.src = source;
  image.alt = alt;
  $("viewer").showModal();
}
