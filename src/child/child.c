int child_placeholder(void); int child_placeholder(void) { return 0; }
