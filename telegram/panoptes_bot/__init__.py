"""The Telegram bot. It forwards what comes in and draws what comes back; it decides nothing."""
