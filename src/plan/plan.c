int plan_placeholder(void); int plan_placeholder(void) { return 0; }
