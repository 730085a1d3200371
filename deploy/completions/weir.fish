# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_weir_global_optspecs
    string join \n h/help V/version
end

function __fish_weir_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_weir_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_weir_using_subcommand
    set -l cmd (__fish_weir_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c weir -n "__fish_weir_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weir -n "__fish_weir_needs_command" -s V -l version -d 'Print version'
complete -c weir -n "__fish_weir_needs_command" -f -a "run" -d 'Reconcile into a cluster, or into a folder with --local'
complete -c weir -n "__fish_weir_needs_command" -f -a "build" -d 'Print everything that a cluster would get from a repository'
complete -c weir -n "__fish_weir_needs_command" -f -a "test" -d 'Render a repository and find what would go wrong in a cluster'
complete -c weir -n "__fish_weir_needs_command" -f -a "diff" -d 'Show what changes in a cluster from one revision of a repository to another'
complete -c weir -n "__fish_weir_needs_command" -f -a "explain" -d 'Say who reads a file and what comes of it, or where an object comes from'
complete -c weir -n "__fish_weir_needs_command" -f -a "get" -d 'List what a repository has'
complete -c weir -n "__fish_weir_needs_command" -f -a "plugin" -d 'Look at plugins and try them'
complete -c weir -n "__fish_weir_needs_command" -f -a "kustomize" -d 'Build kustomizations as kustomize does'
complete -c weir -n "__fish_weir_needs_command" -f -a "helm" -d 'Render charts as Helm does'
complete -c weir -n "__fish_weir_needs_command" -f -a "version" -d 'Print the version'
complete -c weir -n "__fish_weir_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c weir -n "__fish_weir_needs_command" -f -a "man" -d 'Write the manual pages'
complete -c weir -n "__fish_weir_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c weir -n "__fish_weir_using_subcommand run" -l local -d 'Reconcile into this folder, with the embedded cluster, instead of into a Kubernetes cluster' -r -F
complete -c weir -n "__fish_weir_using_subcommand run" -l root -d 'Take this folder as the tree of the source that --source names' -r -F
complete -c weir -n "__fish_weir_using_subcommand run" -l source -d 'The source that --root stands for' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l path -d 'Where in REPO to start: made into a Kustomization named like the source. With --local by default what REPO\'s gotk-sync.yaml or its FluxInstance says' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l namespace -d 'The namespace of the source and of what weir keeps for itself' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l only-namespace -d 'Reconcile only what is in this namespace' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l storage-addr -d 'Serve the artifacts of sources at this address, for others who read status.artifact.url (Flux: --storage-addr)' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l storage-adv-addr -d 'Host and port that others reach --storage-addr by, such as source-controller.flux-system.svc.cluster.local' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l ssh-kex-algos -d 'Ways to agree on keys with Git servers over SSH, the better one first (Flux: --ssh-kex-algos)' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l ssh-hostkey-algos -d 'By which keys Git servers may prove who they are over SSH, the better one first (Flux: --ssh-hostkey-algos)' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l concurrent -d 'How many sources and units are worked on at once' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l cache -d 'Where fetched repositories and compiled plugins are kept; may be deleted at any time' -r -F
complete -c weir -n "__fish_weir_using_subcommand run" -s o -l output -d 'How the result is shown' -r -f -a "text\t''
json\t''"
complete -c weir -n "__fish_weir_using_subcommand run" -l log -d 'What to log, for example "info" or "weir_controller=debug"' -r
complete -c weir -n "__fish_weir_using_subcommand run" -l once -d 'Stop when nothing is left to do; fail if something is not ready then'
complete -c weir -n "__fish_weir_using_subcommand run" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand build" -l root -d 'The repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand build" -l path -d 'Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says' -r
complete -c weir -n "__fish_weir_using_subcommand build" -l source -d 'The source that the repository stands for [default: that of the entry, else GitRepository/flux-system]' -r
complete -c weir -n "__fish_weir_using_subcommand build" -l substitute-from -d 'A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand build" -l kube-version -d 'The version of Kubernetes that charts see and objects are for' -r
complete -c weir -n "__fish_weir_using_subcommand build" -l local -d 'The same with the embedded cluster in a folder' -r -F
complete -c weir -n "__fish_weir_using_subcommand build" -s o -l output -d 'yaml, json or dir:FOLDER' -r
complete -c weir -n "__fish_weir_using_subcommand build" -l unit -d 'Show only this unit, for example kustomization/flux-system/apps' -r
complete -c weir -n "__fish_weir_using_subcommand build" -l kind -d 'Show only objects of this kind' -r
complete -c weir -n "__fish_weir_using_subcommand build" -l file -d 'Show only objects that come from files that match, for example "apps/**/*.yaml"' -r
complete -c weir -n "__fish_weir_using_subcommand build" -l no-decrypt -d 'Leave what is encrypted as it is; substitution gets placeholders for it'
complete -c weir -n "__fish_weir_using_subcommand build" -l strict-substitute -d 'Fail where a variable is not set and has no default, as in a cluster'
complete -c weir -n "__fish_weir_using_subcommand build" -l offline -d 'Fetch nothing: charts and other sources are those that earlier runs kept'
complete -c weir -n "__fish_weir_using_subcommand build" -l no-releases -d 'Name HelmReleases without rendering them'
complete -c weir -n "__fish_weir_using_subcommand build" -l cluster -d 'Look into the cluster of the kubeconfig: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything'
complete -c weir -n "__fish_weir_using_subcommand build" -l watch -d 'Stay, and show what changes in the objects as files are saved, in place of all objects'
complete -c weir -n "__fish_weir_using_subcommand build" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand test" -l root -d 'The repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand test" -l path -d 'Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says' -r
complete -c weir -n "__fish_weir_using_subcommand test" -l source -d 'The source that the repository stands for [default: that of the entry, else GitRepository/flux-system]' -r
complete -c weir -n "__fish_weir_using_subcommand test" -l substitute-from -d 'A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand test" -l kube-version -d 'The version of Kubernetes that charts see and objects are for' -r
complete -c weir -n "__fish_weir_using_subcommand test" -l local -d 'The same with the embedded cluster in a folder' -r -F
complete -c weir -n "__fish_weir_using_subcommand test" -s o -l output -d 'How the findings are shown' -r -f -a "text\t''
json\t''
junit\t''
github\t''
sarif\t''"
complete -c weir -n "__fish_weir_using_subcommand test" -l no-decrypt -d 'Leave what is encrypted as it is; substitution gets placeholders for it'
complete -c weir -n "__fish_weir_using_subcommand test" -l strict-substitute -d 'Fail where a variable is not set and has no default, as in a cluster'
complete -c weir -n "__fish_weir_using_subcommand test" -l offline -d 'Fetch nothing: charts and other sources are those that earlier runs kept'
complete -c weir -n "__fish_weir_using_subcommand test" -l no-releases -d 'Name HelmReleases without rendering them'
complete -c weir -n "__fish_weir_using_subcommand test" -l cluster -d 'Look into the cluster of the kubeconfig: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything'
complete -c weir -n "__fish_weir_using_subcommand test" -l watch -d 'Stay, and render and look again as files are saved'
complete -c weir -n "__fish_weir_using_subcommand test" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand diff" -l root -d 'The repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand diff" -l path -d 'Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says' -r
complete -c weir -n "__fish_weir_using_subcommand diff" -l source -d 'The source that the repository stands for [default: that of the entry, else GitRepository/flux-system]' -r
complete -c weir -n "__fish_weir_using_subcommand diff" -l substitute-from -d 'A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand diff" -l kube-version -d 'The version of Kubernetes that charts see and objects are for' -r
complete -c weir -n "__fish_weir_using_subcommand diff" -l local -d 'The same with the embedded cluster in a folder' -r -F
complete -c weir -n "__fish_weir_using_subcommand diff" -s o -l output -d 'How the difference is shown' -r -f -a "text\t''
markdown\t'For a comment of a pull request'
json\t''"
complete -c weir -n "__fish_weir_using_subcommand diff" -l no-decrypt -d 'Leave what is encrypted as it is; substitution gets placeholders for it'
complete -c weir -n "__fish_weir_using_subcommand diff" -l strict-substitute -d 'Fail where a variable is not set and has no default, as in a cluster'
complete -c weir -n "__fish_weir_using_subcommand diff" -l offline -d 'Fetch nothing: charts and other sources are those that earlier runs kept'
complete -c weir -n "__fish_weir_using_subcommand diff" -l no-releases -d 'Name HelmReleases without rendering them'
complete -c weir -n "__fish_weir_using_subcommand diff" -l cluster -d 'Look into the cluster of the kubeconfig: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything'
complete -c weir -n "__fish_weir_using_subcommand diff" -l watch -d 'Stay, and show the difference again as files of the work tree are saved'
complete -c weir -n "__fish_weir_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weir -n "__fish_weir_using_subcommand explain" -l root -d 'The repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand explain" -l path -d 'Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says' -r
complete -c weir -n "__fish_weir_using_subcommand explain" -l source -d 'The source that the repository stands for [default: that of the entry, else GitRepository/flux-system]' -r
complete -c weir -n "__fish_weir_using_subcommand explain" -l substitute-from -d 'A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand explain" -l kube-version -d 'The version of Kubernetes that charts see and objects are for' -r
complete -c weir -n "__fish_weir_using_subcommand explain" -l local -d 'The same with the embedded cluster in a folder' -r -F
complete -c weir -n "__fish_weir_using_subcommand explain" -l no-decrypt -d 'Leave what is encrypted as it is; substitution gets placeholders for it'
complete -c weir -n "__fish_weir_using_subcommand explain" -l strict-substitute -d 'Fail where a variable is not set and has no default, as in a cluster'
complete -c weir -n "__fish_weir_using_subcommand explain" -l offline -d 'Fetch nothing: charts and other sources are those that earlier runs kept'
complete -c weir -n "__fish_weir_using_subcommand explain" -l no-releases -d 'Name HelmReleases without rendering them'
complete -c weir -n "__fish_weir_using_subcommand explain" -l cluster -d 'Look into the cluster of the kubeconfig: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything'
complete -c weir -n "__fish_weir_using_subcommand explain" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand get" -l root -d 'The repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand get" -l path -d 'Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says' -r
complete -c weir -n "__fish_weir_using_subcommand get" -l source -d 'The source that the repository stands for [default: that of the entry, else GitRepository/flux-system]' -r
complete -c weir -n "__fish_weir_using_subcommand get" -l substitute-from -d 'A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository' -r -F
complete -c weir -n "__fish_weir_using_subcommand get" -l kube-version -d 'The version of Kubernetes that charts see and objects are for' -r
complete -c weir -n "__fish_weir_using_subcommand get" -l local -d 'The same with the embedded cluster in a folder' -r -F
complete -c weir -n "__fish_weir_using_subcommand get" -s o -l output -r -f -a "text\t''
json\t''"
complete -c weir -n "__fish_weir_using_subcommand get" -l no-decrypt -d 'Leave what is encrypted as it is; substitution gets placeholders for it'
complete -c weir -n "__fish_weir_using_subcommand get" -l strict-substitute -d 'Fail where a variable is not set and has no default, as in a cluster'
complete -c weir -n "__fish_weir_using_subcommand get" -l offline -d 'Fetch nothing: charts and other sources are those that earlier runs kept'
complete -c weir -n "__fish_weir_using_subcommand get" -l no-releases -d 'Name HelmReleases without rendering them'
complete -c weir -n "__fish_weir_using_subcommand get" -l cluster -d 'Look into the cluster of the kubeconfig: for ConfigMaps and Secrets that the repository does not hold; with get and explain and without --root, for everything'
complete -c weir -n "__fish_weir_using_subcommand get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c weir -n "__fish_weir_using_subcommand plugin; and not __fish_seen_subcommand_from inspect run help" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand plugin; and not __fish_seen_subcommand_from inspect run help" -f -a "inspect" -d 'Say what a component is and what it asks for'
complete -c weir -n "__fish_weir_using_subcommand plugin; and not __fish_seen_subcommand_from inspect run help" -f -a "run" -d 'Run a component on the manifests of a folder and print the objects that come out'
complete -c weir -n "__fish_weir_using_subcommand plugin; and not __fish_seen_subcommand_from inspect run help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c weir -n "__fish_weir_using_subcommand plugin; and __fish_seen_subcommand_from inspect" -s o -l output -r -f -a "text\t''
json\t''"
complete -c weir -n "__fish_weir_using_subcommand plugin; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand plugin; and __fish_seen_subcommand_from run" -l config -d 'The config, as YAML or JSON; @FILE reads it from a file' -r
complete -c weir -n "__fish_weir_using_subcommand plugin; and __fish_seen_subcommand_from run" -l grant -d 'A grant beside the files of the folder, for example documents=Secret' -r
complete -c weir -n "__fish_weir_using_subcommand plugin; and __fish_seen_subcommand_from run" -s o -l output -d 'yaml, json or dir:FOLDER' -r
complete -c weir -n "__fish_weir_using_subcommand plugin; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "inspect" -d 'Say what a component is and what it asks for'
complete -c weir -n "__fish_weir_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "run" -d 'Run a component on the manifests of a folder and print the objects that come out'
complete -c weir -n "__fish_weir_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c weir -n "__fish_weir_using_subcommand kustomize; and not __fish_seen_subcommand_from build help" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand kustomize; and not __fish_seen_subcommand_from build help" -f -a "build" -d 'Print what a folder builds to'
complete -c weir -n "__fish_weir_using_subcommand kustomize; and not __fish_seen_subcommand_from build help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c weir -n "__fish_weir_using_subcommand kustomize; and __fish_seen_subcommand_from build" -l profile -d 'Whose rules hold: the command line\'s or kustomize-controller\'s' -r -f -a "cli\t''
flux\t''"
complete -c weir -n "__fish_weir_using_subcommand kustomize; and __fish_seen_subcommand_from build" -l load-restrictor -d 'Whether files outside of the folder of a kustomization may be read' -r
complete -c weir -n "__fish_weir_using_subcommand kustomize; and __fish_seen_subcommand_from build" -s o -l output -d 'Write to this file, or one file for each object into this folder if it exists' -r -F
complete -c weir -n "__fish_weir_using_subcommand kustomize; and __fish_seen_subcommand_from build" -l enable-helm -d 'Let the helmCharts field use the plugin that is registered as "helm"'
complete -c weir -n "__fish_weir_using_subcommand kustomize; and __fish_seen_subcommand_from build" -l enable-alpha-plugins -d 'Let generators, transformers and validators name registered plugins'
complete -c weir -n "__fish_weir_using_subcommand kustomize; and __fish_seen_subcommand_from build" -l enable-managedby-label -d 'Add the label app.kubernetes.io/managed-by'
complete -c weir -n "__fish_weir_using_subcommand kustomize; and __fish_seen_subcommand_from build" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand kustomize; and __fish_seen_subcommand_from help" -f -a "build" -d 'Print what a folder builds to'
complete -c weir -n "__fish_weir_using_subcommand kustomize; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c weir -n "__fish_weir_using_subcommand helm; and not __fish_seen_subcommand_from template help" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand helm; and not __fish_seen_subcommand_from template help" -f -a "template" -d 'Print what a chart renders to'
complete -c weir -n "__fish_weir_using_subcommand helm; and not __fish_seen_subcommand_from template help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -s n -l namespace -d 'The namespace of the release' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -s f -l values -d 'A file with values; later ones win' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l set -d 'A value: a.b=c,d[0]=e' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l set-string -d 'A value that is a text whatever it looks like' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l set-json -d 'A value in JSON' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l set-file -d 'A value that is the content of a file' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l set-literal -d 'A value in which no character has a meaning' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l kube-version -d 'The version of Kubernetes that the chart sees' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -s a -l api-versions -d 'An API that the chart sees beside Kubernetes\' own: v1 or apps/v1/Deployment' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -s s -l show-only -d 'Print only what comes from this template of the chart: templates/x.yaml' -r
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l output-dir -d 'Write one file for each object into this folder' -r -F
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l profile -d 'Whose rules hold where Helm\'s versions differ' -r -f -a "helm4\t''
helm3\t''
helm3.19\t''"
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l include-crds -d 'Print the files of crds/ too'
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l is-upgrade -d 'Render as for an upgrade'
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l no-hooks -d 'Leave out hooks'
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l skip-tests -d 'Leave out the hooks of `helm test`'
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -l skip-schema-validation -d 'Leave values.schema.json alone'
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from template" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from help" -f -a "template" -d 'Print what a chart renders to'
complete -c weir -n "__fish_weir_using_subcommand helm; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c weir -n "__fish_weir_using_subcommand version" -s o -l output -r -f -a "text\t''
json\t''"
complete -c weir -n "__fish_weir_using_subcommand version" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand completions" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand man" -s h -l help -d 'Print help'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "run" -d 'Reconcile into a cluster, or into a folder with --local'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "build" -d 'Print everything that a cluster would get from a repository'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "test" -d 'Render a repository and find what would go wrong in a cluster'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "diff" -d 'Show what changes in a cluster from one revision of a repository to another'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "explain" -d 'Say who reads a file and what comes of it, or where an object comes from'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "get" -d 'List what a repository has'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "plugin" -d 'Look at plugins and try them'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "kustomize" -d 'Build kustomizations as kustomize does'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "helm" -d 'Render charts as Helm does'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "version" -d 'Print the version'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "man" -d 'Write the manual pages'
complete -c weir -n "__fish_weir_using_subcommand help; and not __fish_seen_subcommand_from run build test diff explain get plugin kustomize helm version completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c weir -n "__fish_weir_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "inspect" -d 'Say what a component is and what it asks for'
complete -c weir -n "__fish_weir_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "run" -d 'Run a component on the manifests of a folder and print the objects that come out'
complete -c weir -n "__fish_weir_using_subcommand help; and __fish_seen_subcommand_from kustomize" -f -a "build" -d 'Print what a folder builds to'
complete -c weir -n "__fish_weir_using_subcommand help; and __fish_seen_subcommand_from helm" -f -a "template" -d 'Print what a chart renders to'
