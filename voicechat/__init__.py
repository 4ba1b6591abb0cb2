"""voicechat: self-hosted, low-latency voice chat for 2-4 friends in a game. docs/architecture.md shows the house."""
