int host_placeholder(void); int host_placeholder(void) { return 0; }
