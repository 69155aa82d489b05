int session_placeholder(void); int session_placeholder(void) { return 0; }
