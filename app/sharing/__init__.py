"""What instances tell each other. All of it may be lost: then each goes on alone, and stricter."""
