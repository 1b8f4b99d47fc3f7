// The people's side of the simulator, and the stream of what happens.

const BASE = "/_sim/telegram";

export class Refused extends Error {}

async function ask(method, path, body) {
  const form = body instanceof FormData;
  let reply;
  try {
    reply = await fetch(BASE + path, {
      method,
      headers: body && !form ? { "Content-Type": "application/json" } : {},
      body: form ? body : body && JSON.stringify(body),
    });
  } catch {
    throw new Refused("The simulator does not answer. Is it still running?");
  }
  const told = reply.status === 204 ? null : await reply.json().catch(() => null);
  if (!reply.ok) throw new Refused(told?.error ?? `That did not work (${reply.status}).`);
  return told;
}

export const fileUrl = (id) => `${BASE}/files/${encodeURIComponent(id)}`;

// Everything that one person can do.
export class Person {
  constructor(id) {
    this.id = id;
    this.at = `/users/${id}`;
  }

  static all() {
    return ask("GET", "/users");
  }

  overview() {
    return ask("GET", this.at);
  }

  messages(chat) {
    return ask("GET", `${this.at}/chats/${chat}/messages`);
  }

  say(chat, text, more) {
    return ask("POST", `${this.at}/chats/${chat}/messages`, { text, ...more });
  }

  edit(chat, message, text) {
    return ask("PATCH", `${this.at}/chats/${chat}/messages/${message}`, { text });
  }

  press(chat, message, row, column) {
    return ask("POST", `${this.at}/chats/${chat}/messages/${message}/press`, { row, column });
  }

  // `kind` is photos, documents or voice.
  files(chat, kind, files, more = {}) {
    const form = new FormData();
    for (const file of files) form.append("file", file, file.name || "picture.png");
    for (const [name, value] of Object.entries(more)) {
      if (value !== null && value !== undefined && value !== "") form.append(name, value);
    }
    return ask("POST", `${this.at}/chats/${chat}/${kind}`, form);
  }

  sticker(chat, emoji) {
    return ask("POST", `${this.at}/chats/${chat}/stickers`, { emoji });
  }

  read(chat) {
    return ask("POST", `${this.at}/chats/${chat}/read`);
  }

  topic(chat, name) {
    return ask("POST", `${this.at}/chats/${chat}/topics`, { name });
  }

  bot(chat, present) {
    return ask("POST", `${this.at}/chats/${chat}/bot`, { present });
  }

  block(blocked) {
    return ask("POST", `${this.at}/${blocked ? "block" : "unblock"}`);
  }

  migrate(chat) {
    return ask("POST", `/chats/${chat}/migrate`);
  }

  // Calls `heard(name, what)` for every event; `opened` on each connection, `lost` between them.
  listen(heard, opened, lost) {
    const source = new EventSource(`${BASE}${this.at}/events`);
    for (const name of ["message", "deleted", "typing", "answer", "bot", "chat", "people", "commands"]) {
      source.addEventListener(name, (event) => heard(name, JSON.parse(event.data)));
    }
    source.addEventListener("open", opened);
    source.addEventListener("error", lost);
    return () => source.close();
  }
}
