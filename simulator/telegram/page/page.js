// The page: who you are, your chats, and the one that is open.

import { Composer, isPhoto } from "./composer.js";
import { Person } from "./api.js";
import { avatar, drawMessage, isService, nameOf, summary } from "./bubbles.js";
import { button, clock, day, icon, make } from "./drawing.js";

const $ = (id) => document.getElementById(id);
const NEAR = 90; // pixels from the end that still count as reading the newest
const SHOWN = 150; // messages drawn at first
const RUN = 300; // seconds between messages of one author that are drawn as one run
const PRESS_PATIENCE = 10_000; // milliseconds a button shows that it waits
const HAND = 1500; // milliseconds in which a thrown list may still roll
const AWAY_PATIENCE = 2500; // milliseconds; a bot that starts again is not reported

const state = {
  people: [],
  me: null, // Person
  bot: null,
  chats: new Map(),
  open: null, // chat id
  thread: null,
  messages: new Map(),
  shown: SHOWN,
  sticks: true,
  touched: -1e9, // when a hand last moved the messages
  top: 0, // where the reader was at the last look
  missed: 0,
  turn: 0,
  queue: null, // events that wait while a chat is loaded
  presses: new Map(),
  stop: () => {},
  typing: null,
  connected: true,
  awayTimer: null,
};

const fail = (error) => toast(error.message, "bad");

const composer = new Composer({
  toast,
  say: (text, more) => sent(state.me.say(state.open, text, { ...more, thread: state.thread })),
  edit: (message, text) => state.me.edit(state.open, message.message_id, text),
  files: sendFiles,
  voice: () => sent(state.me.files(state.open, "voice", [new File(["voice"], "voice.oga")])),
  sticker: (emoji) => sent(state.me.sticker(state.open, emoji)),
  lastOwn: () => ordered().findLast((it) => it.from.id === state.me.id && it.text),
});

const acts = {
  command: (words) => composer.acts.say(withName(words), {}).catch(fail),
  mention: (words) => composer.insert(`${words} `),
  copy: (words) => copy(words),
  reply: (message) => composer.startReply(message),
  edit: (message) => composer.startEdit(message),
  jump,
  press,
  view: (source, alt) => {
    const image = $("viewer").querySelector("img");
    image.src = source;
    image.alt = alt;
    $("viewer").showModal();
  },
};

// -- who you are ------------------------------------------------------------------------------

async function begin() {
  state.people = await Person.all();
  const [who, chat] = location.hash.slice(1).split("/").map(Number);
  const known = state.people.some((it) => it.id === who);
  const start = matchMedia("(min-width: 760px)").matches;
  const me = known ? who : state.people[0].id;
  await become(me, known && chat ? chat : start ? me : null);
}

async function become(id, chat = null) {
  state.stop();
  state.me = new Person(id);
  composer.me = id;
  state.queue = [];
  state.stop = state.me.listen(heard, () => reload().catch(fail), () => connection(false));
  await refresh();
  drawPeople();
  await openChat(chat !== null && state.chats.has(chat) ? chat : null);
}

function drawPeople() {
  $("people").replaceChildren(
    ...state.people.map((person) => {
      const mine = person.id === state.me.id;
      const name = make("span", "", person.first_name);
      const choice = button("person", "", () => switchTo(person.id), avatar(person), name);
      choice.setAttribute("role", "radio");
      choice.setAttribute("aria-checked", String(mine));
      choice.tabIndex = mine ? 0 : -1;
      choice.addEventListener("keydown", (event) => roam(event, person.id));
      return choice;
    }),
  );
}

function switchTo(id) {
  const chat = state.open;
  // In a group one stays where one is, as another person.
  become(id, chat !== null && chat < 0 ? chat : chat === null ? null : id).catch(fail);
}

function roam(event, id) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = state.people.findIndex((it) => it.id === id);
  const next = state.people.at((at + step) % state.people.length);
  become(next.id, state.open !== null && state.open > 0 ? next.id : state.open)
    .then(() => document.querySelector(".person[aria-checked=true]").focus())
    .catch(fail);
}

// -- the list of chats ------------------------------------------------------------------------

async function refresh() {
  const told = await state.me.overview();
  state.bot = told.bot;
  state.chats = new Map(told.chats.map((chat) => [chat.id, chat]));
  drawChats();
}

function chatName(chat) {
  return chat.type === "private" ? state.bot.first_name : chat.title;
}

function chatAvatar(chat) {
  return chat.type === "private" ? avatar(state.bot, { bot: true }) : avatar(chat, { group: true });
}

function drawChats() {
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
  const row = button("chat", "", () => openChat(chat.id).catch(fail), chatAvatar(chat));
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

// -- one chat ---------------------------------------------------------------------------------

const current = () => state.chats.get(state.open);

async function openChat(id) {
  state.open = id;
  state.thread = null;
  state.shown = SHOWN;
  state.missed = 0;
  state.sticks = true;
  history.replaceState(null, "", id === null ? `#${state.me.id}` : `#${state.me.id}/${id}`);
  $("app").dataset.screen = id === null ? "list" : "chat";
  $("conversation").hidden = id === null;
  drawChats();
  if (id === null) return;
  const chat = current();
  composer.reset({ commands: chat.commands, isGroup: id < 0, botName: state.bot.username });
  await load();
  composer.focus();
}

async function load() {
  const id = state.open;
  const turn = (state.turn += 1);
  state.queue ??= [];
  const told = id === null ? [] : await state.me.messages(id);
  // Of several that overlap only the last may say what is there.
  if (turn !== state.turn) return;
  state.messages = new Map(told.map((it) => [it.message_id, it]));
  const waiting = state.queue;
  state.queue = null;
  for (const [name, what] of waiting) heard(name, what);
  if (id === null) return;
  setTyping(current()?.typing ? 5 : 0);
  drawBar();
  drawMessages();
  toEnd();
  markRead();
}

async function reload() {
  connection(true);
  state.queue ??= [];
  await refresh();
  await load();
}

function drawBar() {
  const chat = current();
  if (!chat) return;
  $("bar-avatar").replaceChildren(chatAvatar(chat));
  $("bar-title").textContent = chatName(chat);
  const line = $("bar-state");
  line.classList.toggle("is-typing", Boolean(state.typing));
  if (state.typing) line.textContent = "typing…";
  else if (chat.type !== "private") line.textContent = [...chat.members.map((it) => it.first_name), state.bot.first_name].join(", ");
  else line.textContent = state.bot.is_there ? "online" : "away";
  $("typing").hidden = !state.typing || isThinking();
  drawTopics(chat);
  drawMore(chat);
  drawNotice(chat);
  const empty = chat.type === "private" && !state.messages.size;
  $("start").hidden = !empty && !chat.away;
  $("start").textContent = chat.away && chat.type === "private" ? "Unblock" : chat.away ? "Bring the bot back" : "Start";
  $("composer").hidden = !$("start").hidden && !(chat.away && chat.type !== "private");
}

function isThinking() {
  const last = ordered().at(-1);
  return last?.from.is_bot && last.text === "…";
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
      const chip = button("chip", "", () => chooseTopic(topic.id), topic.name);
      chip.setAttribute("aria-pressed", String(topic.id === state.thread));
      return chip;
    }),
  );
}

function chooseTopic(id) {
  state.thread = id;
  drawBar();
  drawMessages();
  toEnd();
}

function drawMore(chat) {
  const entries = chat.type === "private"
    ? [[chat.away ? "Unblock the bot" : "Block the bot", () => state.me.block(!chat.away)]]
    : [
        [chat.away ? "Bring the bot back" : "Remove the bot", () => state.me.bot(chat.id, Boolean(chat.away))],
        chat.type === "group"
          ? ["Make it a supergroup", () => migrate(chat.id)]
          : ["New topic", () => newTopic(chat.id)],
      ];
  $("more-menu").replaceChildren(
    ...entries.map(([label, act]) =>
      button("", "", () => {
        $("more-menu").hidePopover();
        Promise.resolve(act()).catch(fail);
      }, label),
    ),
  );
}

async function migrate(chat) {
  const moved = await state.me.migrate(chat);
  await refresh();
  await openChat(moved.id);
}

async function newTopic(chat) {
  $("ask-title").textContent = "Name of the topic";
  $("ask-input").value = "";
  $("ask").showModal();
  await new Promise((closed) => $("ask").addEventListener("close", closed, { once: true }));
  const name = $("ask-input").value.trim();
  if ($("ask").returnValue !== "ok" || !name) return;
  const { thread } = await state.me.topic(chat, name);
  await refresh();
  chooseTopic(thread);
}

// -- messages ---------------------------------------------------------------------------------

function ordered() {
  const all = [...state.messages.values()].sort((a, b) => a.message_id - b.message_id);
  return state.thread === null ? all : all.filter((it) => it.message_thread_id === state.thread);
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

const drawn = new Map(); // message id -> [what was drawn, its node]

function drawMessages() {
  const all = gathered(ordered());
  const messages = all.slice(-state.shown);
  const ctx = { me: state.me.id, isGroup: state.open < 0, acts };
  const nodes = [];
  const used = new Set();
  messages.forEach((message, at) => {
    const before = messages[at - 1];
    const after = messages[at + 1];
    if (!before || day(before.date) !== day(message.date)) nodes.push(dayNode(message.date));
    const place = { first: !joined(before, message), last: !joined(message, after) };
    const key = JSON.stringify([message, place, state.me.id]);
    const id = `${state.open}/${message.message_id}`;
    used.add(id);
    let [was, node] = drawn.get(id) ?? [];
    if (was !== key) {
      const isNew = !node;
      node = drawMessage(message, ctx, place);
      if (isNew && state.settled) node.classList.add("arrives");
      drawn.set(id, [key, node]);
    }
    nodes.push(node);
  });
  for (const id of drawn.keys()) if (!used.has(id)) drawn.delete(id);
  place($("messages"), nodes);
  $("earlier").hidden = all.length <= messages.length;
  drawWelcome(!all.length);
  state.settled = true;
}

// Moves only what is not in its place: a node that is put in again loses focus and selection.
function place(list, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  let at = list.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else list.insertBefore(node, at);
  }
}

function joined(a, b) {
  return a && b && !isService(a) && !isService(b) && a.from.id === b.from.id && b.date - a.date < RUN && day(a.date) === day(b.date);
}

const days = new Map();

function dayNode(date) {
  const words = day(date);
  if (!days.has(words)) days.set(words, make("li", "message service day", make("span", "", words)));
  return days.get(words);
}

function drawWelcome(empty) {
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
  const hints = isPrivate
    ? [["chat", "Ask anything"], ["photo", "Send a photo"], ["slash", "Type / for commands"]]
    : [["at", "Mention"], ["reply", "Reply"], ["slash", "Command"]];
  const chips = hints.map(([name, said]) => make("li", "", icon(name), said));
  return box.replaceChildren(chatAvatar(chat), title, text, make("ul", "", ...chips));
}

// -- scrolling: stay at the end while the reader is there, never pull them from elsewhere ------

const scroll = $("scroll");

function atEnd() {
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
}

function toEnd() {
  scroll.scrollTop = scroll.scrollHeight;
  state.top = scroll.scrollTop;
  state.sticks = true;
  state.missed = 0;
  drawDown();
}

function drawDown() {
  $("down").hidden = state.sticks;
  $("down-count").hidden = !state.missed;
  $("down-count").textContent = String(state.missed);
}

function jump(id) {
  const node = $("messages").querySelector(`[data-id="${Number(id)}"]`);
  if (!node) return;
  state.sticks = false;
  node.scrollIntoView({ block: "center", behavior: "smooth" });
  node.classList.remove("found");
  void node.offsetWidth; // starts the animation again
  node.classList.add("found");
}

function markRead() {
  const chat = current();
  if (!chat?.unread || document.hidden || !state.sticks) return;
  chat.unread = 0;
  drawChats();
  state.me.read(chat.id).catch(() => {});
}

// -- what happens -----------------------------------------------------------------------------

function heard(name, what) {
  if (state.queue && name !== "bot") {
    state.queue.push([name, what]);
    return;
  }
  const hears = { message: onMessage, deleted: onDeleted, typing: onTyping, answer: onAnswer, bot: onBot };
  if (hears[name]) hears[name](what);
  else onChange(name).catch(fail);
}

function onMessage(message) {
  const chat = state.chats.get(message.chat.id);
  if (!chat) return onChange("people").catch(fail);
  const isNew = !chat.last || message.message_id > chat.last.message_id;
  if (isNew || chat.last.message_id === message.message_id) chat.last = message;
  if (isNew && message.from.is_bot) chat.typing = null;
  if (isNew && message.from.id !== state.me.id) chat.unread += 1;
  if (chat.id === state.open) {
    state.messages.set(message.message_id, message);
    if (isNew && message.from.is_bot) setTyping(0);
    if (isNew && !state.sticks && message.from.id !== state.me.id) state.missed += 1;
    drawMessages();
    drawBar();
    drawDown();
    markRead();
  }
  return drawChats();
}

function onDeleted({ chat_id: chat, message_id: id }) {
  if (chat === state.open) {
    const node = $("messages").querySelector(`[data-id="${id}"]`);
    composer.aboutGone(id);
    node?.classList.add("leaves");
    setTimeout(() => {
      if (state.open !== chat) return;
      state.messages.delete(id);
      drawMessages();
      drawBar();
    }, node ? 180 : 0);
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

function setTyping(seconds) {
  clearTimeout(state.typing);
  state.typing = seconds ? setTimeout(() => setTyping(0), seconds * 1000) : null;
  if (state.open !== null) drawBar();
}

function onAnswer({ query_id: id, text, show_alert: alert }) {
  state.presses.get(id)?.classList.remove("waits");
  state.presses.delete(id);
  if (!text) return;
  if (alert) {
    $("alert-text").textContent = text;
    $("alert").showModal();
  } else {
    toast(text);
  }
}

function onBot(bot) {
  const was = state.bot?.is_there;
  state.bot = { ...state.bot, ...bot };
  clearTimeout(state.awayTimer);
  if (was && !bot.is_there) {
    state.awayTimer = setTimeout(() => toast("The bot is away. Messages wait for it.", "bad"), AWAY_PATIENCE);
  }
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
  composer.setCommands(chat.commands);
  drawBar();
  drawMessages();
}

function connection(works) {
  if (state.connected === works) return;
  state.connected = works;
  drawBar();
}

// -- acting -----------------------------------------------------------------------------------

function withName(command) {
  return state.open < 0 && !command.includes("@") ? `${command}@${state.bot.username}` : command;
}

async function sent(promise) {
  const told = await promise;
  for (const message of [told].flat()) {
    if (message?.chat?.id === state.open && !state.messages.has(message.message_id)) onMessage(message);
  }
  toEnd();
  if (!state.bot.is_there) toast("The bot is away. Your message waits for it.", "bad");
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

async function press(message, row, column, node) {
  node.classList.add("waits");
  setTimeout(() => node.classList.remove("waits"), PRESS_PATIENCE);
  try {
    const { query_id: id } = await state.me.press(state.open, message.message_id, row, column);
    state.presses.set(id, node);
    if (!state.bot.is_there) toast("The bot is away. It hears of this if it is back within 150 seconds.", "bad");
  } catch (error) {
    node.classList.remove("waits");
    fail(error);
  }
}

async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    toast("Copied");
  } catch {
    toast("The browser does not let this page copy.", "bad");
  }
}

function toast(words, kind = "") {
  const node = make("div", `toast ${kind}`, words);
  node.dir = "auto";
  $("toasts").replaceChildren(node);
  setTimeout(() => node.remove(), 4200);
}

function wire() {
  $("back").addEventListener("click", () => openChat(null).catch(fail));
  $("down").addEventListener("click", () => toEnd());
  $("earlier").addEventListener("click", () => {
    const height = scroll.scrollHeight;
    state.shown += SHOWN;
    drawMessages();
    scroll.scrollTop += scroll.scrollHeight - height;
  });
  $("start").addEventListener("click", () => {
    const chat = current();
    if (!chat.away) return composer.acts.say("/start", {}).catch(fail);
    return (chat.type === "private" ? state.me.block(false) : state.me.bot(chat.id, true)).catch(fail);
  });
  scroll.addEventListener("scroll", () => {
    // Growing texts and keyboards move things too: only what follows a hand is the reader's wish.
    if (atEnd()) state.sticks = true;
    else if (performance.now() - state.touched < HAND && scroll.scrollTop < state.top) state.sticks = false;
    state.top = scroll.scrollTop;
    if (state.sticks) state.missed = 0;
    drawDown();
    markRead();
  }, { passive: true });
  for (const hand of ["wheel", "touchstart", "touchmove", "pointerdown", "keydown"]) {
    scroll.addEventListener(hand, () => { state.touched = performance.now(); }, { passive: true });
  }
  const follow = new ResizeObserver(() => {
    if (state.sticks) toEnd();
  });
  for (const node of [scroll, $("messages"), $("typing")]) follow.observe(node);
  $("viewer").addEventListener("click", () => $("viewer").close());
  document.addEventListener("visibilitychange", markRead);
  document.addEventListener("keydown", (event) => {
    const phone = !matchMedia("(min-width: 760px)").matches;
    const free = !document.querySelector("dialog[open], :popover-open") && $("menu").hidden && !composer.about;
    if (event.key === "Escape" && phone && free && state.open !== null) openChat(null).catch(fail);
  });
}

wire();
begin().catch(fail);
