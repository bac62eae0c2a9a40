# Completion of bitfit for bash. What there is to choose from comes from the
# command's own --help.

_bitfit_verbs() {
    bitfit --help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p'
}

# The options of a verb; those with a value end in '='.
_bitfit_options() {
    bitfit "$1" --help 2>/dev/null |
        sed -n 's/^ *\(-.,\)\{0,1\} *\(--[a-z-]*=\{0,1\}\).*/\2/p'
}

# What the help lists as a value of the option, as in --by=size|age|site.
_bitfit_values() {
    bitfit "$1" --help 2>/dev/null |
        sed -n "s/^ *\(-.,\)\{0,1\} *$2=\([^ ]*|[^ ]*\).*/\2/p" | tr '|' '\n' |
        grep -v '[A-Z]'
}

_bitfit() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local verb=${COMP_WORDS[1]} option= i
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "$(_bitfit_verbs) help --help --version" -- "$word"))
        return
    fi
    if [ "$verb" = help ]; then
        COMPREPLY=($(compgen -W "$(_bitfit_verbs)" -- "$word"))
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        if [ "${COMP_WORDS[i]}" = -- ]; then
            COMPREPLY=($(compgen -c -f -- "$word"))
            return
        fi
    done
    # "--by=s" is three words where '=' parts words.
    if [ "$before" = = ]; then
        option=${COMP_WORDS[COMP_CWORD-2]}
    elif [ "$word" = = ]; then
        option=$before word=
    fi
    if [ -n "$option" ]; then
        COMPREPLY=($(compgen -W "$(_bitfit_values "$verb" "$option")" -- "$word"))
        [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
        return
    fi
    case $word in
    -*)
        COMPREPLY=($(compgen -W "$(_bitfit_options "$verb")" -- "$word"))
        case ${COMPREPLY[0]} in *=) compopt -o nospace 2>/dev/null ;; esac
        ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
}

complete -o filenames -F _bitfit bitfit
