int launch_placeholder(void); int launch_placeholder(void) { return 0; }
