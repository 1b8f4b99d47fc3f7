// One message becomes one list item.

import { button, clock, drawText, icon, make, size } from "./drawing.js";
import { fileUrl } from "./api.js";

const COLOURS = 8;
const WAITING = new Set(["…", "..."]);

export function avatar(who, { bot = false, group = false, small = false } = {}) {
  const node = make("span", `avatar${small ? " small" : ""}`);
  node.setAttribute("aria-hidden", "true");
  if (bot) {
    node.classList.add("is-bot");
    node.append(icon("bot"));
    return node;
  }
  node.classList.add(`tint-${Math.abs(who.id) % COLOURS}`);
  const words = (group ? who.title : nameOf(who)).split(/\s+/).filter(Boolean);
  node.textContent = words.slice(0, 2).map((word) => [...word][0]).join("").toUpperCase();
  return node;
}

export function nameOf(person) {
  return [person.first_name, person.last_name].filter(Boolean).join(" ");
}

// One line that says what a message is, for lists and quotes.
export function summary(message) {
  if (!message) return "";
  if (message.text) return message.text.replace(/\s+/g, " ").slice(0, 160);
  const caption = message.caption ? ` ${message.caption.slice(0, 120)}` : "";
  if (message.photo) return caption ? `Photo: ${caption.trim()}` : "Photo";
  if (message.document) return caption.trim() || message.document.file_name || "File";
  if (message.voice) return "Voice message";
  if (message.sticker) return `${message.sticker.emoji ?? ""} Sticker`;
  return serviceText(message) ?? "Message";
}

export function serviceText(message) {
  const who = message.from.first_name;
  if (message.migrate_to_chat_id) return "This group became a supergroup";
  if (message.migrate_from_chat_id) return "The group is a supergroup now";
  if (message.new_chat_members) {
    return `${who} added ${message.new_chat_members.map((it) => it.first_name).join(", ")}`;
  }
  if (message.forum_topic_created) return `${who} opened “${message.forum_topic_created.name}”`;
  return null;
}

export function isService(message) {
  return serviceText(message) !== null;
}

// `ctx`: {me, botId, isGroup, acts}. `first` and `last` say where in a run of one author it is.
export function drawMessage(message, ctx, { first, last }) {
  const item = make("li", "message");
  item.dataset.id = message.message_id;
  if (isService(message)) {
    item.classList.add("service");
    item.append(make("span", "", serviceText(message)));
    return item;
  }
  const mine = message.from.id === ctx.me;
  const bot = message.from.is_bot;
  item.classList.add(mine ? "out" : "in");
  item.classList.toggle("first", first);
  item.classList.toggle("last", last);
  if (ctx.isGroup && !mine) {
    item.append(last ? avatar(message.from, { bot, small: true }) : make("span", "avatar small none"));
  }
  const column = make("div", "column");
  item.append(column);
  const bubble = make("article", "bubble");
  column.append(bubble);
  bubble.append(make("span", "unseen", `${mine ? "You" : nameOf(message.from)}, ${clock(message.date)}: `));
  if (ctx.isGroup && !mine && first) {
    const name = make("strong", `name ink-${Math.abs(message.from.id) % COLOURS}`, nameOf(message.from));
    name.setAttribute("aria-hidden", "true");
    name.dir = "auto";
    bubble.append(name);
  }
  drawBody(bubble, message, ctx, mine);
  if (message.reply_markup) column.append(drawKeyboard(message, ctx.acts));
  addActions(bubble, message, ctx, mine);
  return item;
}

function drawBody(bubble, message, ctx, mine) {
  const { acts } = ctx;
  if (message.reply_to_message) bubble.append(drawQuote(message.reply_to_message, acts));
  if (message.album) {
    const grid = make("div", `album of-${Math.min(message.album.length, 4)}`);
    grid.append(...message.album.map((it) => drawPhoto(it, acts)));
    bubble.append(grid);
  } else if (message.photo) {
    bubble.append(drawPhoto(message, acts));
  }
  if (message.photo) bubble.classList.add("has-photo");
  if (message.document) bubble.append(drawFile(message.document));
  if (message.voice) bubble.append(drawVoice(message.voice));
  if (message.sticker) {
    bubble.classList.add("has-sticker");
    bubble.append(make("span", "sticker", message.sticker.emoji || "⭐"));
  }
  const text = message.text ?? message.caption ?? "";
  if (message.from.is_bot && WAITING.has(text) && !message.photo) {
    bubble.classList.add("thinking");
    const dots = make("span", "dots", make("span"), make("span"), make("span"));
    dots.setAttribute("role", "img");
    dots.setAttribute("aria-label", "Thinking");
    bubble.append(dots);
    return;
  }
  if (text) {
    const words = make("div", "text", drawText(text, message.entities ?? message.caption_entities, acts));
    words.dir = "auto";
    bubble.classList.toggle("ends-left", endsLeft(text));
    if (isJumbo(text)) words.classList.add("jumbo");
    bubble.append(words);
  }
  const edited = message.edit_date && !message.from.is_bot ? "edited " : "";
  const time = make("time", "stamp", edited + clock(message.date));
  time.dateTime = new Date(message.date * 1000).toISOString();
  if (mine) time.append(icon("done"));
  bubble.append(time);
}

// Whether the last line runs from right to left, so that the time has to stand at its left.
function endsLeft(text) {
  const line = text.trimEnd().split("\n").at(-1);
  const letter = /\p{L}/u.exec(line) ?? /\p{L}/u.exec(text);
  return letter !== null && /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(letter[0]);
}

function isJumbo(text) {
  return text.length <= 12 && /^(\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f)+$/u.test(text);
}

function drawQuote(message, acts) {
  const quote = button("quote", "", () => acts.jump(message.message_id));
  const who = make("strong", `ink-${Math.abs(message.from.id) % COLOURS}`, nameOf(message.from));
  const what = make("span", "", summary(message));
  what.dir = "auto";
  if (message.photo) {
    const thumb = make("img");
    thumb.src = fileUrl(message.photo[0].file_id);
    thumb.alt = "";
    quote.append(thumb);
  }
  quote.append(make("span", "quote-text", who, what));
  return quote;
}

function drawPhoto(message, acts) {
  const photo = message.photo.at(-1);
  const image = make("img");
  image.src = fileUrl(photo.file_id);
  image.alt = message.caption ? `Picture: ${message.caption}` : "Picture";
  image.width = photo.width;
  image.height = photo.height;
  const node = button("photo", "Open the picture", () => acts.view(image.src, image.alt), image);
  // The room is taken before the picture is there, so that nothing jumps.
  const highest = Math.min(420, innerHeight * 0.52);
  node.style.width = `${Math.max(96, Math.min(photo.width, (highest * photo.width) / photo.height))}px`;
  return node;
}

function drawFile(document) {
  const link = make("a", "file");
  link.href = fileUrl(document.file_id);
  link.download = document.file_name || "file";
  const name = make("strong", "", document.file_name || "File");
  name.dir = "auto";
  const badge = make("span", "file-icon", icon("file"));
  link.append(badge, make("span", "file-text", name, make("small", "", size(document.file_size ?? 0))));
  link.addEventListener("click", (event) => event.stopPropagation());
  return link;
}

function drawVoice(voice) {
  const wave = make("span", "wave");
  for (let bar = 0; bar < 24; bar += 1) {
    const line = make("i");
    line.style.height = `${20 + 70 * Math.abs(Math.sin(bar * 1.7) * Math.cos(bar * 0.6))}%`;
    wave.append(line);
  }
  const seconds = String(voice.duration % 60).padStart(2, "0");
  const length = make("small", "", `${Math.floor(voice.duration / 60)}:${seconds}`);
  const node = make("div", "voice", make("span", "file-icon", icon("mic")), wave, length);
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", `Voice message, ${voice.duration} seconds`);
  return node;
}

function drawKeyboard(message, acts) {
  const keyboard = make("div", "keyboard");
  message.reply_markup.inline_keyboard.forEach((row, y) => {
    const line = make("div", "keyboard-row");
    row.forEach((key, x) => line.append(drawKey(message, key, y, x, acts)));
    keyboard.append(line);
  });
  return keyboard;
}

function drawKey(message, key, y, x, acts) {
  const style = ["primary", "success", "danger"].includes(key.style) ? ` ${key.style}` : "";
  const label = make("span", "", key.text);
  label.dir = "auto";
  if (key.url) {
    const link = make("a", `key${style}`, label, icon("link"));
    try {
      const parsed = new URL(key.url);
      if (["http:", "https:"].includes(parsed.protocol)) link.href = parsed.href;
    } catch {
      // A link that leads nowhere is drawn all the same.
    }
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    return link;
  }
  if (key.copy_text) {
    return button(`key${style}`, "", () => acts.copy(key.copy_text.text), label, icon("copy"));
  }
  const node = button(`key${style}`, "", () => acts.press(message, y, x, node), label);
  return node;
}

function addActions(bubble, message, ctx, mine) {
  const { acts } = ctx;
  const row = make("div", "actions");
  row.append(button("icon-button", "Reply", () => acts.reply(message), icon("reply")));
  if (mine && message.text) {
    row.append(button("icon-button", "Edit", () => acts.edit(message), icon("edit")));
  }
  bubble.append(row);
  // A finger taps; a mouse clicks twice, as once is for selecting and for nothing.
  bubble.addEventListener("click", () => {
    if (matchMedia("(pointer: coarse)").matches && !String(getSelection())) acts.reply(message);
  });
  bubble.addEventListener("dblclick", (event) => {
    if (event.target.closest("button, a, pre")) return;
    getSelection().removeAllRanges();
    acts.reply(message);
  });
}
