# shellcheck shell=sh
# For scripts that source it: an apt with a state of its own, so that the machine's packages, sources and architectures stay as
# they are; signatures are checked as ever.  They set:
#
#   state          a folder, for nobody else at the same time
#   architecture   amd64, arm64
#   release        bookworm
#   later          trixie, when packages of that release are to be found, too
#   security       yes, when Debian's security updates are to be looked at, too
# shellcheck disable=SC2154  # so they do

private() {
	command=$1
	shift
	"$command" -q -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::State::lists="$state/lists" \
		-o Dir::Cache="$state/cache" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
		-o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o APT::Sandbox::User=root \
		-o Acquire::Languages=none -o Acquire::GzipIndexes=true -o Acquire::Retries=2 \
		-o Acquire::Check-Valid-Until=false -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
		"$@"
}

prepare_state() {
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	touch "$state/status"
}

# The machine's mirror of Debian, then where Debian keeps its present and its past.
mirrors() {
	# shellcheck disable=SC2016  # $(REPO_URI) is apt's
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
		sed -n 's, bookworm main$,,p'
	echo http://deb.debian.org/debian/
	echo http://archive.debian.org/debian/
}

# Fetch the lists of packages (deb) and of sources (deb-src).
update() { # deb|deb-src…
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -e $keys ] && option="[signed-by=$keys] " || option=
	for mirror in $(mirrors | awk '!seen[$0]++'); do
		: >"$state/sources.list"
		for kind in "$@"; do
			echo "$kind $option$mirror $release main"
			[ "$kind" = deb ] && [ "${later-}" ] && echo "$kind $option$mirror $later main"
			[ -z "${security-}" ] || echo "$kind $option${mirror%/debian/}/debian-security/ $release-security main"
		done >>"$state/sources.list"
		if private apt-get -o APT::Update::Error-Mode=any update >"$state/log" 2>&1; then
			return 0
		fi
	done
	return 1
}
