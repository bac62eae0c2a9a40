# Completion of bitfit for fish. What there is to choose from comes from the
# command's own --help.

function __bitfit_verbs
    bitfit --help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\)  *\(.*\)/\1\t\2/p'
end

function __bitfit_verb
    set -l words (commandline -opc)
    test (count $words) -gt 1; and echo $words[2]
end

function __bitfit_options
    bitfit (__bitfit_verb) --help 2>/dev/null |
        sed -n 's/^ *\(-.,\)\{0,1\} *\(--[a-z-]*=\{0,1\}\)[^ ]* *\(.*\)/\2\t\3/p'
end

# --by=size, --by=age, --by=site
function __bitfit_values
    bitfit (__bitfit_verb) --help 2>/dev/null |
        sed -n 's/^ *\(-.,\)\{0,1\} *\(--[a-z-]*\)=\([^ ]*|[^ ]*\).*/\2 \3/p' |
        while read -l option values
            for value in (string split '|' $values)
                string match -qr '[A-Z]' -- $value; or echo $option=$value
            end
        end
end

complete -c bitfit -n 'test -z (__bitfit_verb)' -f -a '(__bitfit_verbs)'
complete -c bitfit -n 'test -z (__bitfit_verb)' -f -a 'help --help --version'
complete -c bitfit -n 'test (__bitfit_verb) = help' -f -a '(__bitfit_verbs)'
complete -c bitfit -n 'test -n (__bitfit_verb); and not contains -- (__bitfit_verb) help; and not contains -- -- (commandline -opc); and string match -q -- "-*" (commandline -ct)' -f -a '(__bitfit_options) (__bitfit_values)'
