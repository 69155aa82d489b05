int main_placeholder(void); int main_placeholder(void) { return 0; }
