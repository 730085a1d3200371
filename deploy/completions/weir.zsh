#compdef weir

autoload -U is-at-least

_weir() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_weir_commands" \
"*::: :->weir" \
&& ret=0
    case $state in
    (weir)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-command-$line[1]:"
        case $line[1] in
            (run)
_arguments "${_arguments_options[@]}" : \
'--local=[Reconcile into this folder, with the embedded cluster, instead of into a Kubernetes cluster]:DIR:_files' \
'--root=[Take this folder as the tree of the source that --source names]:REPO:_files' \
'--source=[The source that --root stands for]:KIND/NAME:_default' \
'--path=[Where in REPO to start\: made into a Kustomization named like the source. With --local by default what REPO'\''s gotk-sync.yaml or its FluxInstance says]:PATH:_default' \
'--namespace=[The namespace of the source and of what weir keeps for itself]:NAME:_default' \
'--only-namespace=[Reconcile only what is in this namespace]:NAME:_default' \
'--storage-addr=[Serve the artifacts of sources at this address, for others who read status.artifact.url (Flux\: --storage-addr)]:ADDRESS:PORT:_default' \
'--storage-adv-addr=[Host and port that others reach --storage-addr by, such as source-controller.flux-system.svc.cluster.local]:HOST[:PORT]:_default' \
'*--ssh-kex-algos=[Ways to agree on keys with Git servers over SSH, the better one first (Flux\: --ssh-kex-algos)]:NAMES:_default' \
'*--ssh-hostkey-algos=[By which keys Git servers may prove who they are over SSH, the better one first (Flux\: --ssh-hostkey-algos)]:NAMES:_default' \
'--concurrent=[How many sources and units are worked on at once]:N:_default' \
'--cache=[Where fetched repositories and compiled plugins are kept; may be deleted at any time]:DIR:_files' \
'-o+[How the result is shown]:OUTPUT:(text json)' \
'--output=[How the result is shown]:OUTPUT:(text json)' \
'--log=[What to log, for example "info" or "weir_controller=debug"]:FILTER:_default' \
'--once[Stop when nothing is left to do; fail if something is not ready then]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(build)
_arguments "${_arguments_options[@]}" : \
'--root=[The repository]:DIR:_files' \
'--path=[Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says]:PATH:_default' \
'--source=[The source that the repository stands for \[default\: that of the entry, else GitRepository/flux-system\]]:KIND/NAME:_default' \
'*--substitute-from=[A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository]:FILE:_files' \
'--kube-version=[The version of Kubernetes that charts see and objects are for]:VERSION:_default' \
'--local=[The same with the embedded cluster in a folder]:DIR:_files' \
'-o+[yaml, json or dir\:FOLDER]:OUTPUT:_default' \
'--output=[yaml, json or dir\:FOLDER]:OUTPUT:_default' \
'*--unit=[Show only this unit, for example kustomization/flux-system/apps]:KIND/NAMESPACE/NAME:_default' \
'*--kind=[Show only objects of this kind]:KIND:_default' \
'*--file=[Show only objects that come from files that match, for example "apps/**/*.yaml"]:GLOB:_default' \
'--no-decrypt[Leave what is encrypted as it is; substitution gets placeholders for it]' \
'--strict-substitute[Fail where a variable is not set and has no default, as in a cluster]' \
'--offline[Fetch nothing\: charts and other sources are those that earlier runs kept]' \
'--no-releases[Name HelmReleases without rendering them]' \
'(--local)--cluster[Look into the cluster of the kubeconfig\: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything]' \
'(--unit --kind --file -o --output)--watch[Stay, and show what changes in the objects as files are saved, in place of all objects]' \
'-h[Print help]' \
'--help[Print help]' \
'::directory -- The repository; short for --root:_files' \
&& ret=0
;;
(test)
_arguments "${_arguments_options[@]}" : \
'--root=[The repository]:DIR:_files' \
'--path=[Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says]:PATH:_default' \
'--source=[The source that the repository stands for \[default\: that of the entry, else GitRepository/flux-system\]]:KIND/NAME:_default' \
'*--substitute-from=[A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository]:FILE:_files' \
'--kube-version=[The version of Kubernetes that charts see and objects are for]:VERSION:_default' \
'--local=[The same with the embedded cluster in a folder]:DIR:_files' \
'-o+[How the findings are shown]:OUTPUT:(text json junit github sarif)' \
'--output=[How the findings are shown]:OUTPUT:(text json junit github sarif)' \
'--no-decrypt[Leave what is encrypted as it is; substitution gets placeholders for it]' \
'--strict-substitute[Fail where a variable is not set and has no default, as in a cluster]' \
'--offline[Fetch nothing\: charts and other sources are those that earlier runs kept]' \
'--no-releases[Name HelmReleases without rendering them]' \
'(--local)--cluster[Look into the cluster of the kubeconfig\: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything]' \
'--watch[Stay, and render and look again as files are saved]' \
'-h[Print help]' \
'--help[Print help]' \
'::directory -- The repository; short for --root:_files' \
&& ret=0
;;
(diff)
_arguments "${_arguments_options[@]}" : \
'--root=[The repository]:DIR:_files' \
'--path=[Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says]:PATH:_default' \
'--source=[The source that the repository stands for \[default\: that of the entry, else GitRepository/flux-system\]]:KIND/NAME:_default' \
'*--substitute-from=[A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository]:FILE:_files' \
'--kube-version=[The version of Kubernetes that charts see and objects are for]:VERSION:_default' \
'--local=[The same with the embedded cluster in a folder]:DIR:_files' \
'-o+[How the difference is shown]:OUTPUT:((text\:""
markdown\:"For a comment of a pull request"
json\:""))' \
'--output=[How the difference is shown]:OUTPUT:((text\:""
markdown\:"For a comment of a pull request"
json\:""))' \
'--no-decrypt[Leave what is encrypted as it is; substitution gets placeholders for it]' \
'--strict-substitute[Fail where a variable is not set and has no default, as in a cluster]' \
'--offline[Fetch nothing\: charts and other sources are those that earlier runs kept]' \
'--no-releases[Name HelmReleases without rendering them]' \
'(--local)--cluster[Look into the cluster of the kubeconfig\: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything]' \
'()--watch[Stay, and show the difference again as files of the work tree are saved]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::from -- The revision before\: a branch, a tag, a commit, HEAD~1. With --cluster the cluster stands before it, or before the work tree if no revision is named:_default' \
'::to -- The revision after \[default\: the work tree\]:_default' \
&& ret=0
;;
(explain)
_arguments "${_arguments_options[@]}" : \
'--root=[The repository]:DIR:_files' \
'--path=[Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says]:PATH:_default' \
'--source=[The source that the repository stands for \[default\: that of the entry, else GitRepository/flux-system\]]:KIND/NAME:_default' \
'*--substitute-from=[A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository]:FILE:_files' \
'--kube-version=[The version of Kubernetes that charts see and objects are for]:VERSION:_default' \
'--local=[The same with the embedded cluster in a folder]:DIR:_files' \
'--no-decrypt[Leave what is encrypted as it is; substitution gets placeholders for it]' \
'--strict-substitute[Fail where a variable is not set and has no default, as in a cluster]' \
'--offline[Fetch nothing\: charts and other sources are those that earlier runs kept]' \
'--no-releases[Name HelmReleases without rendering them]' \
'(--local)--cluster[Look into the cluster of the kubeconfig\: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything]' \
'-h[Print help]' \
'--help[Print help]' \
':what -- A file of the repository, or an object\: Deployment/apps/web:_default' \
&& ret=0
;;
(get)
_arguments "${_arguments_options[@]}" : \
'--root=[The repository]:DIR:_files' \
'--path=[Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says]:PATH:_default' \
'--source=[The source that the repository stands for \[default\: that of the entry, else GitRepository/flux-system\]]:KIND/NAME:_default' \
'*--substitute-from=[A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository]:FILE:_files' \
'--kube-version=[The version of Kubernetes that charts see and objects are for]:VERSION:_default' \
'--local=[The same with the embedded cluster in a folder]:DIR:_files' \
'-o+[]:OUTPUT:(text json)' \
'--output=[]:OUTPUT:(text json)' \
'--no-decrypt[Leave what is encrypted as it is; substitution gets placeholders for it]' \
'--strict-substitute[Fail where a variable is not set and has no default, as in a cluster]' \
'--offline[Fetch nothing\: charts and other sources are those that earlier runs kept]' \
'--no-releases[Name HelmReleases without rendering them]' \
'(--local)--cluster[Look into the cluster of the kubeconfig\: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::what:((units\:"Kustomizations, HelmReleases and the like, and what came of them"
sources\:"The sources that are objects of the repository"
images\:"Container images, and who runs them"
graph\:"Who is made by, reads and waits for whom"
values\:"The ConfigMaps and Secrets that units take values from; no values"))' \
&& ret=0
;;
(plugin)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
":: :_weir__subcmd__plugin_commands" \
"*::: :->plugin" \
&& ret=0

    case $state in
    (plugin)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-plugin-command-$line[1]:"
        case $line[1] in
            (inspect)
_arguments "${_arguments_options[@]}" : \
'-o+[]:OUTPUT:(text json)' \
'--output=[]:OUTPUT:(text json)' \
'-h[Print help]' \
'--help[Print help]' \
':file -- The component:_files' \
&& ret=0
;;
(run)
_arguments "${_arguments_options[@]}" : \
'--config=[The config, as YAML or JSON; @FILE reads it from a file]:CONFIG:_default' \
'*--grant=[A grant beside the files of the folder, for example documents=Secret]:WHAT=NAME:_default' \
'-o+[yaml, json or dir\:FOLDER]:OUTPUT:_default' \
'--output=[yaml, json or dir\:FOLDER]:OUTPUT:_default' \
'-h[Print help]' \
'--help[Print help]' \
':file -- The component:_files' \
':directory -- The folder\: its files can be read by the plugin, and a transformer or validator gets the objects of its YAML files:_files' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_weir__subcmd__plugin__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-plugin-help-command-$line[1]:"
        case $line[1] in
            (inspect)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(run)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(kustomize)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
":: :_weir__subcmd__kustomize_commands" \
"*::: :->kustomize" \
&& ret=0

    case $state in
    (kustomize)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-kustomize-command-$line[1]:"
        case $line[1] in
            (build)
_arguments "${_arguments_options[@]}" : \
'--profile=[Whose rules hold\: the command line'\''s or kustomize-controller'\''s]:PROFILE:(cli flux)' \
'--load-restrictor=[Whether files outside of the folder of a kustomization may be read]:RESTRICTOR:_default' \
'-o+[Write to this file, or one file for each object into this folder if it exists]:PATH:_files' \
'--output=[Write to this file, or one file for each object into this folder if it exists]:PATH:_files' \
'--enable-helm[Let the helmCharts field use the plugin that is registered as "helm"]' \
'--enable-alpha-plugins[Let generators, transformers and validators name registered plugins]' \
'--enable-managedby-label[Add the label app.kubernetes.io/managed-by]' \
'-h[Print help]' \
'--help[Print help]' \
'::directory -- The folder with the kustomization file:_files' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_weir__subcmd__kustomize__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-kustomize-help-command-$line[1]:"
        case $line[1] in
            (build)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(helm)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
":: :_weir__subcmd__helm_commands" \
"*::: :->helm" \
&& ret=0

    case $state in
    (helm)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-helm-command-$line[1]:"
        case $line[1] in
            (template)
_arguments "${_arguments_options[@]}" : \
'-n+[The namespace of the release]:NAME:_default' \
'--namespace=[The namespace of the release]:NAME:_default' \
'*-f+[A file with values; later ones win]:FILE:_default' \
'*--values=[A file with values; later ones win]:FILE:_default' \
'*--set=[A value\: a.b=c,d\[0\]=e]:KEY=VALUE:_default' \
'*--set-string=[A value that is a text whatever it looks like]:KEY=VALUE:_default' \
'*--set-json=[A value in JSON]:KEY=JSON:_default' \
'*--set-file=[A value that is the content of a file]:KEY=FILE:_default' \
'*--set-literal=[A value in which no character has a meaning]:KEY=VALUE:_default' \
'--kube-version=[The version of Kubernetes that the chart sees]:VERSION:_default' \
'*-a+[An API that the chart sees beside Kubernetes'\'' own\: v1 or apps/v1/Deployment]:API:_default' \
'*--api-versions=[An API that the chart sees beside Kubernetes'\'' own\: v1 or apps/v1/Deployment]:API:_default' \
'*-s+[Print only what comes from this template of the chart\: templates/x.yaml]:TEMPLATE:_default' \
'*--show-only=[Print only what comes from this template of the chart\: templates/x.yaml]:TEMPLATE:_default' \
'--output-dir=[Write one file for each object into this folder]:DIR:_files' \
'--profile=[Whose rules hold where Helm'\''s versions differ]:PROFILE:(helm4 helm3 helm3.19)' \
'--include-crds[Print the files of crds/ too]' \
'--is-upgrade[Render as for an upgrade]' \
'--no-hooks[Leave out hooks]' \
'--skip-tests[Leave out the hooks of \`helm test\`]' \
'--skip-schema-validation[Leave values.schema.json alone]' \
'-h[Print help]' \
'--help[Print help]' \
'*::words -- The name of the release (release-name if left out), and the chart\: its folder or its archive:_default' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_weir__subcmd__helm__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-helm-help-command-$line[1]:"
        case $line[1] in
            (template)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(version)
_arguments "${_arguments_options[@]}" : \
'-o+[]:OUTPUT:(text json)' \
'--output=[]:OUTPUT:(text json)' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
':shell:(bash elvish fish powershell zsh)' \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
':directory:_files' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_weir__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-help-command-$line[1]:"
        case $line[1] in
            (run)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(build)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(test)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(diff)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(explain)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(get)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(plugin)
_arguments "${_arguments_options[@]}" : \
":: :_weir__subcmd__help__subcmd__plugin_commands" \
"*::: :->plugin" \
&& ret=0

    case $state in
    (plugin)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-help-plugin-command-$line[1]:"
        case $line[1] in
            (inspect)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(run)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(kustomize)
_arguments "${_arguments_options[@]}" : \
":: :_weir__subcmd__help__subcmd__kustomize_commands" \
"*::: :->kustomize" \
&& ret=0

    case $state in
    (kustomize)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-help-kustomize-command-$line[1]:"
        case $line[1] in
            (build)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(helm)
_arguments "${_arguments_options[@]}" : \
":: :_weir__subcmd__help__subcmd__helm_commands" \
"*::: :->helm" \
&& ret=0

    case $state in
    (helm)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:weir-help-helm-command-$line[1]:"
        case $line[1] in
            (template)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(version)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_weir_commands] )) ||
_weir_commands() {
    local commands; commands=(
'run:Reconcile into a cluster, or into a folder with --local' \
'build:Print everything that a cluster would get from a repository' \
'test:Render a repository and find what would go wrong in a cluster' \
'diff:Show what changes in a cluster from one revision of a repository to another' \
'explain:Say who reads a file and what comes of it, or where an object comes from' \
'get:List what a repository has' \
'plugin:Look at plugins and try them' \
'kustomize:Build kustomizations as kustomize does' \
'helm:Render charts as Helm does' \
'version:Print the version' \
'completions:Print a completion script for a shell' \
'man:Write the manual pages' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'weir commands' commands "$@"
}
(( $+functions[_weir__subcmd__build_commands] )) ||
_weir__subcmd__build_commands() {
    local commands; commands=()
    _describe -t commands 'weir build commands' commands "$@"
}
(( $+functions[_weir__subcmd__completions_commands] )) ||
_weir__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'weir completions commands' commands "$@"
}
(( $+functions[_weir__subcmd__diff_commands] )) ||
_weir__subcmd__diff_commands() {
    local commands; commands=()
    _describe -t commands 'weir diff commands' commands "$@"
}
(( $+functions[_weir__subcmd__explain_commands] )) ||
_weir__subcmd__explain_commands() {
    local commands; commands=()
    _describe -t commands 'weir explain commands' commands "$@"
}
(( $+functions[_weir__subcmd__get_commands] )) ||
_weir__subcmd__get_commands() {
    local commands; commands=()
    _describe -t commands 'weir get commands' commands "$@"
}
(( $+functions[_weir__subcmd__helm_commands] )) ||
_weir__subcmd__helm_commands() {
    local commands; commands=(
'template:Print what a chart renders to' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'weir helm commands' commands "$@"
}
(( $+functions[_weir__subcmd__helm__subcmd__help_commands] )) ||
_weir__subcmd__helm__subcmd__help_commands() {
    local commands; commands=(
'template:Print what a chart renders to' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'weir helm help commands' commands "$@"
}
(( $+functions[_weir__subcmd__helm__subcmd__help__subcmd__help_commands] )) ||
_weir__subcmd__helm__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'weir helm help help commands' commands "$@"
}
(( $+functions[_weir__subcmd__helm__subcmd__help__subcmd__template_commands] )) ||
_weir__subcmd__helm__subcmd__help__subcmd__template_commands() {
    local commands; commands=()
    _describe -t commands 'weir helm help template commands' commands "$@"
}
(( $+functions[_weir__subcmd__helm__subcmd__template_commands] )) ||
_weir__subcmd__helm__subcmd__template_commands() {
    local commands; commands=()
    _describe -t commands 'weir helm template commands' commands "$@"
}
(( $+functions[_weir__subcmd__help_commands] )) ||
_weir__subcmd__help_commands() {
    local commands; commands=(
'run:Reconcile into a cluster, or into a folder with --local' \
'build:Print everything that a cluster would get from a repository' \
'test:Render a repository and find what would go wrong in a cluster' \
'diff:Show what changes in a cluster from one revision of a repository to another' \
'explain:Say who reads a file and what comes of it, or where an object comes from' \
'get:List what a repository has' \
'plugin:Look at plugins and try them' \
'kustomize:Build kustomizations as kustomize does' \
'helm:Render charts as Helm does' \
'version:Print the version' \
'completions:Print a completion script for a shell' \
'man:Write the manual pages' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'weir help commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__build_commands] )) ||
_weir__subcmd__help__subcmd__build_commands() {
    local commands; commands=()
    _describe -t commands 'weir help build commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__completions_commands] )) ||
_weir__subcmd__help__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'weir help completions commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__diff_commands] )) ||
_weir__subcmd__help__subcmd__diff_commands() {
    local commands; commands=()
    _describe -t commands 'weir help diff commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__explain_commands] )) ||
_weir__subcmd__help__subcmd__explain_commands() {
    local commands; commands=()
    _describe -t commands 'weir help explain commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__get_commands] )) ||
_weir__subcmd__help__subcmd__get_commands() {
    local commands; commands=()
    _describe -t commands 'weir help get commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__helm_commands] )) ||
_weir__subcmd__help__subcmd__helm_commands() {
    local commands; commands=(
'template:Print what a chart renders to' \
    )
    _describe -t commands 'weir help helm commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__helm__subcmd__template_commands] )) ||
_weir__subcmd__help__subcmd__helm__subcmd__template_commands() {
    local commands; commands=()
    _describe -t commands 'weir help helm template commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__help_commands] )) ||
_weir__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'weir help help commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__kustomize_commands] )) ||
_weir__subcmd__help__subcmd__kustomize_commands() {
    local commands; commands=(
'build:Print what a folder builds to' \
    )
    _describe -t commands 'weir help kustomize commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__kustomize__subcmd__build_commands] )) ||
_weir__subcmd__help__subcmd__kustomize__subcmd__build_commands() {
    local commands; commands=()
    _describe -t commands 'weir help kustomize build commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__man_commands] )) ||
_weir__subcmd__help__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'weir help man commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__plugin_commands] )) ||
_weir__subcmd__help__subcmd__plugin_commands() {
    local commands; commands=(
'inspect:Say what a component is and what it asks for' \
'run:Run a component on the manifests of a folder and print the objects that come out' \
    )
    _describe -t commands 'weir help plugin commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__plugin__subcmd__inspect_commands] )) ||
_weir__subcmd__help__subcmd__plugin__subcmd__inspect_commands() {
    local commands; commands=()
    _describe -t commands 'weir help plugin inspect commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__plugin__subcmd__run_commands] )) ||
_weir__subcmd__help__subcmd__plugin__subcmd__run_commands() {
    local commands; commands=()
    _describe -t commands 'weir help plugin run commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__run_commands] )) ||
_weir__subcmd__help__subcmd__run_commands() {
    local commands; commands=()
    _describe -t commands 'weir help run commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__test_commands] )) ||
_weir__subcmd__help__subcmd__test_commands() {
    local commands; commands=()
    _describe -t commands 'weir help test commands' commands "$@"
}
(( $+functions[_weir__subcmd__help__subcmd__version_commands] )) ||
_weir__subcmd__help__subcmd__version_commands() {
    local commands; commands=()
    _describe -t commands 'weir help version commands' commands "$@"
}
(( $+functions[_weir__subcmd__kustomize_commands] )) ||
_weir__subcmd__kustomize_commands() {
    local commands; commands=(
'build:Print what a folder builds to' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'weir kustomize commands' commands "$@"
}
(( $+functions[_weir__subcmd__kustomize__subcmd__build_commands] )) ||
_weir__subcmd__kustomize__subcmd__build_commands() {
    local commands; commands=()
    _describe -t commands 'weir kustomize build commands' commands "$@"
}
(( $+functions[_weir__subcmd__kustomize__subcmd__help_commands] )) ||
_weir__subcmd__kustomize__subcmd__help_commands() {
    local commands; commands=(
'build:Print what a folder builds to' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'weir kustomize help commands' commands "$@"
}
(( $+functions[_weir__subcmd__kustomize__subcmd__help__subcmd__build_commands] )) ||
_weir__subcmd__kustomize__subcmd__help__subcmd__build_commands() {
    local commands; commands=()
    _describe -t commands 'weir kustomize help build commands' commands "$@"
}
(( $+functions[_weir__subcmd__kustomize__subcmd__help__subcmd__help_commands] )) ||
_weir__subcmd__kustomize__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'weir kustomize help help commands' commands "$@"
}
(( $+functions[_weir__subcmd__man_commands] )) ||
_weir__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'weir man commands' commands "$@"
}
(( $+functions[_weir__subcmd__plugin_commands] )) ||
_weir__subcmd__plugin_commands() {
    local commands; commands=(
'inspect:Say what a component is and what it asks for' \
'run:Run a component on the manifests of a folder and print the objects that come out' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'weir plugin commands' commands "$@"
}
(( $+functions[_weir__subcmd__plugin__subcmd__help_commands] )) ||
_weir__subcmd__plugin__subcmd__help_commands() {
    local commands; commands=(
'inspect:Say what a component is and what it asks for' \
'run:Run a component on the manifests of a folder and print the objects that come out' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'weir plugin help commands' commands "$@"
}
(( $+functions[_weir__subcmd__plugin__subcmd__help__subcmd__help_commands] )) ||
_weir__subcmd__plugin__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'weir plugin help help commands' commands "$@"
}
(( $+functions[_weir__subcmd__plugin__subcmd__help__subcmd__inspect_commands] )) ||
_weir__subcmd__plugin__subcmd__help__subcmd__inspect_commands() {
    local commands; commands=()
    _describe -t commands 'weir plugin help inspect commands' commands "$@"
}
(( $+functions[_weir__subcmd__plugin__subcmd__help__subcmd__run_commands] )) ||
_weir__subcmd__plugin__subcmd__help__subcmd__run_commands() {
    local commands; commands=()
    _describe -t commands 'weir plugin help run commands' commands "$@"
}
(( $+functions[_weir__subcmd__plugin__subcmd__inspect_commands] )) ||
_weir__subcmd__plugin__subcmd__inspect_commands() {
    local commands; commands=()
    _describe -t commands 'weir plugin inspect commands' commands "$@"
}
(( $+functions[_weir__subcmd__plugin__subcmd__run_commands] )) ||
_weir__subcmd__plugin__subcmd__run_commands() {
    local commands; commands=()
    _describe -t commands 'weir plugin run commands' commands "$@"
}
(( $+functions[_weir__subcmd__run_commands] )) ||
_weir__subcmd__run_commands() {
    local commands; commands=()
    _describe -t commands 'weir run commands' commands "$@"
}
(( $+functions[_weir__subcmd__test_commands] )) ||
_weir__subcmd__test_commands() {
    local commands; commands=()
    _describe -t commands 'weir test commands' commands "$@"
}
(( $+functions[_weir__subcmd__version_commands] )) ||
_weir__subcmd__version_commands() {
    local commands; commands=()
    _describe -t commands 'weir version commands' commands "$@"
}

if [ "$funcstack[1]" = "_weir" ]; then
    _weir "$@"
else
    compdef _weir weir
fi
