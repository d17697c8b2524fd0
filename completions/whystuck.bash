# SPDX-License-Identifier: Apache-2.0
# Completion of whystuck for bash.

_whystuck()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local options='-a --all -k --kernel-threads -t --thread= -s --state= -f --format=
		-g --goroutines --no-goroutines --goroutine= --runtime-frames --group --no-group
		--no-kernel --no-user --lines --no-lines --stop= -n --max-frames= -p --process-info
		--addresses --color= -v --verbose -h --help -V --version'
	local words='' line command=${COMP_WORDS[1]}

	if [[ $command == top && COMP_CWORD -gt 1 ]]; then
		options='-a --all -k --kernel-threads -t --thread= -s --state= -d --delay= -c --columns=
			-g --goroutines --no-goroutines --runtime-frames -n --max-frames= --no-kernel
			--no-user --lines --no-lines --color= --stop= -h --help -V --version'
	elif [[ $command == record && COMP_CWORD -gt 1 ]]; then
		options='-a --all -k --kernel-threads -t --thread= -s --state= -d --duration=
			-F --frequency= -o --output= -f --format= -g --goroutines --no-goroutines
			--runtime-frames --no-kernel --no-user --lines --no-lines --stop= -n
			--max-frames= -v --verbose -h --help -V --version'
	fi

	# "=" is among COMP_WORDBREAKS, so that --format=js comes as three words
	if [[ $current == = ]]; then
		current=''
	elif [[ $previous == = && COMP_CWORD -ge 2 ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	COMPREPLY=()
	case $previous in
	-f | --format)
		words='text json folded'
		[[ $command == record ]] && words='folded pprof svg'
		;;
	-o | --output)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	-d | --duration | -F | --frequency) return ;;
	--stop) words='auto never always' ;;
	--color) words='auto always never' ;;
	-c | --columns) words='pid tid threads uid comm state time wait holder waiters syscall kernel user' ;;
	-d | --delay | -t | --thread | -s | --state | -n | --max-frames | --goroutine) return ;;
	*)
		if [[ $current == -* ]]; then
			words=$options
		else
			# only names that need no quoting: bash would split the others
			while read -r line; do
				[[ $line =~ ^[A-Za-z0-9._+-]+( +[0-9]+)?$ ]] && words+=" $line"
			done < <(ps -A -o comm=,pid= 2>/dev/null)
			((COMP_CWORD == 1)) && words+=' show top record'
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current" | sort -u)
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -F _whystuck whystuck
