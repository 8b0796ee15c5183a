# Written out in full soon; this much lets the tree build.
build:
	swift build
.PHONY: build
