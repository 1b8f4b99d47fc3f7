// Pressing a button under a message, and what the bot says to that.

import { state } from "./state.js";
import { fail, tell, toast } from "./toast.js";

const PATIENCE = 10_000; // milliseconds a button shows that it waits

const waiting = new Map(); // number of the press -> button

export async function press(message, row, column, node) {
  node.classList.add("waits");
  setTimeout(() => node.classList.remove("waits"), PATIENCE);
  try {
    const { query_id: id } = await state.me.press(state.open, message.message_id, row, column);
    waiting.set(id, node);
    if (!state.bot.is_there) toast("The bot is away. It hears of this if it is back within 150 seconds.", "bad");
  } catch (error) {
    node.classList.remove("waits");
    fail(error);
  }
}

export function answered({ query_id: id, text, show_alert: alert }) {
  waiting.get(id)?.classList.remove("waits");
  waiting.delete(id);
  if (!text) return;
  if (alert) tell(text);
  else toast(text);
}
