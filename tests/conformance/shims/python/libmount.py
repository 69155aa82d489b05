"""The two calls of libmount's Python binding that crun's tests make, on a mountinfo file."""


class Mount:
    def __init__(self, line):
        fields = line.split()
        after = fields.index('-', 6)
        self.target = fields[4]
        self.vfs_options = fields[5]
        self.fs_options = fields[after + 3]


class Table:
    def __init__(self, path):
        with open(path) as f:
            self.mounts = [Mount(line) for line in f if ' - ' in line]

    def find_target(self, target):
        """The uppermost mount at `target`: the last one of the file."""
        found = [m for m in self.mounts if m.target == target]
        return found[-1] if found else None
