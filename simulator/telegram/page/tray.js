// Files that wait to be sent: picked, pasted or dropped.

import { button, icon, make } from "./drawing.js";
import { $ } from "./state.js";

const PHOTO = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);
const MOST_FILES = 10;

export const isPhoto = (file) => PHOTO.has(file.type);

export class Tray {
  files = [];

  // `changed` is called whenever there are others.
  constructor(changed) {
    this.changed = changed;
    for (const input of [$("photo-input"), $("file-input")]) {
      input.addEventListener("change", () => {
        this.take(input.files);
        input.value = "";
      });
    }
    this.#wireDropping();
  }

  take(files, event) {
    if (!files?.length) return;
    event?.preventDefault();
    this.put([...this.files, ...files].slice(0, MOST_FILES));
    $("text").focus(); // for the caption
  }

  put(files) {
    this.files = files;
    this.#draw();
    this.changed();
  }

  #draw() {
    const tray = $("tray");
    for (const image of tray.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    tray.hidden = this.files.length === 0;
    tray.replaceChildren(...this.files.map((file) => this.#tile(file)));
  }

  #tile(file) {
    const tile = make("div", "tile");
    if (isPhoto(file)) {
      const image = make("img");
      image.src = URL.createObjectURL(file);
      image.alt = file.name;
      tile.append(image);
    } else {
      tile.append(icon("file"), make("span", "", file.name));
    }
    const drop = () => this.put(this.files.filter((it) => it !== file));
    tile.append(button("tile-close", `Remove ${file.name}`, drop, icon("close")));
    return tile;
  }

  #wireDropping() {
    const pane = $("conversation");
    const drop = $("drop");
    pane.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      drop.hidden = false;
    });
    pane.addEventListener("dragleave", (event) => {
      if (!pane.contains(event.relatedTarget)) drop.hidden = true;
    });
    pane.addEventListener("drop", (event) => {
      drop.hidden = true;
      this.take(event.dataTransfer.files, event);
    });
  }
}
