int topology_placeholder(void); int topology_placeholder(void) { return 0; }
