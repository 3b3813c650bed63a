# GNU make 4.3 or newer. `make` alone prints the targets.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git describe --always --abbrev=40 --exclude '*' --dirty 2>/dev/null)

# The Go on the PATH is used as it is: no toolchain is fetched behind your back.
export GOTOOLCHAIN := local

# Paths of this machine stay out of the binaries; the version comes from
# VERSION, so that a clone owned by somebody else builds too.
NAMED := github.com/keyrite/keyrite/internal/build
BUILD := $(GO) build -trimpath -buildvcs=false -ldflags "-X $(NAMED).number=$(VERSION) -X $(NAMED).commit=$(COMMIT)"

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 10s
DIST        ?= dist/$(VERSION)
DATE        ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
PACKAGES    ?= dist/packages
OFFLINE     := keyrite-$(VERSION)-linux-amd64.tar.zst
AGAIN       ?= keyrite-verify-linux-amd64 keyrite-linux-amd64 $(OFFLINE)
RELEASE      = VERSION='$(VERSION)' COMMIT='$(COMMIT)' DATE='$(DATE)' DIST='$(DIST)' PACKAGES='$(PACKAGES)' scripts/release

.DEFAULT_GOAL := help
.PHONY: help build test test-faults rehearsal screens bench release release-again offline-packages test-offline vet lint fuzz clean check-go

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

build: check-go ## build bin/keyrite and bin/keyrite-verify
	@scripts/install-deps --check build
	CGO_ENABLED=1 $(BUILD) -o bin/keyrite ./cmd/keyrite
	CGO_ENABLED=0 $(BUILD) -o bin/keyrite-verify ./cmd/keyrite-verify

test: check-go ## install what the tests need and run them all, on a real SoftHSM2
	@scripts/install-deps test
	CGO_ENABLED=1 $(GO) test -timeout 25m $(TESTFLAGS) ./...

test-faults: check-go ## the fault tables whole: a root ceremony, and every other kind of step, killed on both sides of every durable commit, its card pulled out on both sides of every command, every bit of a bundle flipped
	@scripts/install-deps test
	CGO_ENABLED=1 $(GO) test -timeout 60m ./steps -run 'Killed|Pulled' -faults
	CGO_ENABLED=1 $(GO) test -timeout 180m ./internal/verify -run 'EveryBit|EveryLength|NoMeaning' -v -faults

rehearsal: check-go ## install what is missing, build, hold a whole root ceremony on a SoftHSM2 token (TOKEN=nitrokey-sim: a simulated Nitrokey HSM under OpenSC), verify it
	@scripts/install-deps $(if $(filter nitrokey-sim,$(TOKEN)),nitrokey-sim,rehearsal)
	@$(MAKE) --no-print-directory build
	@scripts/rehearsal

screens: check-go ## hold two rehearsals in tmux and put pictures of the screen into docs/operations.md
	@command -v tmux >/dev/null || { echo "screens: tmux is missing: apt-get install tmux" >&2; exit 3; }
	@$(MAKE) --no-print-directory build
	@scripts/screens bin/keyrite

bench: check-go ## measure every performance goal: name, ratio, goal
	@scripts/install-deps bench
	@CGO_ENABLED=1 $(GO) run ./internal/bench

release: check-go ## build what is handed out into dist/VERSION, the same bytes each time, with SHA256SUMS
	@scripts/install-deps --check release
	@$(RELEASE)

release-again: check-go ## build AGAIN of a release once more in another folder and compare
	@scripts/install-deps --check release
	@$(RELEASE) --again $(AGAIN)

offline-packages: ## renew the list of Debian packages in a release: versions and hashes of today
	@scripts/offline renew

test-offline: ## as root: install a release in a bare Debian 12 without a network, hold rehearsals there, verify them
	@scripts/install-deps offline
	@scripts/test-offline '$(DIST)/$(OFFLINE)'

vet: check-go ## go vet
	@scripts/install-deps --check build
	CGO_ENABLED=1 $(GO) vet ./...

lint: check-go ## gofmt and staticcheck
	@scripts/install-deps --check build
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt would change:" $$unformatted >&2; exit 1; fi
	CGO_ENABLED=1 $(GO) run $(STATICCHECK) ./...

fuzz: check-go ## run every fuzz target for FUZZTIME (10s)
	@scripts/install-deps --check build
	@CGO_ENABLED=1 GO=$(GO) FUZZTIME=$(FUZZTIME) scripts/fuzz

clean: ## remove bin/ (what a rehearsal left is kept)
	rm -rf bin

check-go:
	@GO=$(GO) scripts/check-go
