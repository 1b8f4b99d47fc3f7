// Where a message is written, in answer to another one or in its place.

import { nameOf, summary } from "./bubbles.js";
import { CommandMenu } from "./menu.js";
import { $ } from "./state.js";
import { fail } from "./toast.js";
import { Tray } from "./tray.js";

const TALLEST = 168; // pixels
const STICKERS = ["👍", "🎉", "❤️", "🔥", "🙏", "🚀"];

const onTouch = () => matchMedia("(pointer: coarse)").matches;

export class Composer {
  me = null; // the person's id
  about = null; // {message, editing}
  #suffix = "";
  #botName = "";

  // `acts`: {say, edit, files, voice, sticker, lastOwn}.
  constructor(acts) {
    this.acts = acts;
    this.text = $("text");
    this.menu = new CommandMenu(this.text, {
      choose: (it) => this.#put(`/${it.command}${this.#suffix}`).#send(),
      fill: (it) => this.#put(`/${it.command}${this.#suffix} `),
    });
    this.tray = new Tray(() => this.#changed());
    this.#wire();
  }

  #wire() {
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.text.addEventListener("input", () => this.#changed());
    this.text.addEventListener("keydown", (event) => this.#key(event));
    this.text.addEventListener("paste", (event) => this.tray.take(event.clipboardData?.files, event));
    $("mention").addEventListener("click", () => this.insert(`@${this.#botName} `));
    $("about-close").addEventListener("click", () => this.clearAbout());
    $("about-edit").addEventListener("click", () => this.startEdit(this.about.message));
    for (const choice of document.querySelectorAll("[data-attach]")) {
      choice.addEventListener("click", () => this.#attach(choice.dataset.attach));
    }
  }

  // Another chat is shown: what was begun in the last one is dropped.
  reset({ commands, isGroup, botName }) {
    this.#botName = botName;
    this.#suffix = isGroup ? `@${botName}` : "";
    $("mention").hidden = !isGroup;
    this.clearAbout();
    this.#put("");
    this.tray.put([]);
    this.setCommands(commands);
  }

  setCommands(commands) {
    this.menu.set(commands);
  }

  focus() {
    // On a phone this would open the keyboard over half the screen.
    if (!onTouch()) this.text.focus();
  }

  insert(words) {
    const { selectionStart: from, selectionEnd: to } = this.text;
    this.text.setRangeText(words, from, to, "end");
    this.text.focus();
    this.#changed();
  }

  startReply(message) {
    this.#setAbout({ message, editing: false });
  }

  startEdit(message) {
    this.#setAbout({ message, editing: true });
    this.#put(message.text ?? "");
  }

  #setAbout(about) {
    if (this.about?.editing && !about.editing) this.#put("");
    this.about = about;
    const { message, editing } = about;
    $("about").hidden = false;
    $("about-who").textContent = editing
      ? "Edit message"
      : `Reply to ${message.from.id === this.me ? "yourself" : nameOf(message.from)}`;
    $("about-what").textContent = summary(message);
    $("about-icon").setAttribute("href", editing ? "#i-edit" : "#i-reply");
    $("about-edit").hidden = editing || !message.text || message.from.id !== this.me;
    $("send-icon").setAttribute("href", editing ? "#i-done" : "#i-send");
    this.text.focus();
    this.#changed();
  }

  clearAbout() {
    if (this.about?.editing) this.#put("");
    this.about = null;
    $("about").hidden = true;
    $("send-icon").setAttribute("href", "#i-send");
    this.#changed();
  }

  aboutGone(id) {
    if (this.about?.message.message_id === id) this.clearAbout();
  }

  async #send() {
    const text = this.text.value.trim();
    const { about } = this;
    const { files } = this.tray;
    if (!text && !files.length) return;
    const more = about && !about.editing ? { reply_to: about.message.message_id } : {};
    this.clearAbout();
    this.#put("");
    this.tray.put([]);
    try {
      if (about?.editing) await this.acts.edit(about.message, text);
      else if (files.length) await this.acts.files(files, text, more);
      else await this.acts.say(text, more);
    } catch (error) {
      // Nothing that was written is lost.
      this.#put(text);
      this.tray.put(files);
      fail(error);
    }
  }

  #put(text) {
    this.text.value = text;
    this.#changed();
    return this;
  }

  #changed() {
    const { text } = this;
    const files = this.tray?.files ?? [];
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, TALLEST)}px`;
    text.placeholder = files.length ? "Add a caption" : "Message";
    $("send").disabled = !text.value.trim() && !files.length;
    this.menu.offer();
  }

  #key(event) {
    if (event.isComposing || this.menu.key(event)) return;
    if (event.key === "Escape" && this.about) {
      this.clearAbout();
    } else if (event.key === "ArrowUp" && !this.text.value) {
      const own = this.acts.lastOwn();
      if (!own) return;
      event.preventDefault();
      this.startEdit(own);
    } else if (event.key === "Enter" && !event.shiftKey && !onTouch()) {
      event.preventDefault();
      this.#send();
    }
  }

  #attach(what) {
    $("attach-menu").hidePopover();
    const sticker = STICKERS[Math.floor(Math.random() * STICKERS.length)];
    const acts = {
      photo: () => $("photo-input").click(),
      file: () => $("file-input").click(),
      voice: () => this.acts.voice().catch(fail),
      sticker: () => this.acts.sticker(sticker).catch(fail),
    };
    acts[what]();
  }
}
