/* mailmuster completion bash: made from the table of commands, so that it
 * cannot fall behind. What the second word may be stands in each usage. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "controller/cmd.h"
#include "controller/report/report.h"

/* "add|import|list" at the head of a usage text. */
static void print_words(const char *usage)
{
	size_t n = strcspn(usage, " [");

	for (size_t i = 0; i < n; i++)
		putchar(usage[i] == '|' ? ' ' : usage[i]);
}

static bool has_words(const struct mm_cmd *cmd)
{
	return *cmd->usage >= 'a' && *cmd->usage <= 'z';
}

static void bash(void)
{
	printf(
	    "# bash completion for mailmuster: source <(mailmuster completion bash)\n"
	    "_mailmuster()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} cmd=\"\" i\n\tCOMPREPLY=()\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\tcase ${COMP_WORDS[i]} in\n"
	    "\t\t--state) i=$((i + 1)) ;;\n\t\t-*) ;;\n\t\t*) cmd=${COMP_WORDS[i]}; break "
	    ";;\n\t\tesac\n\tdone\n"
	    "\tif [[ -z $cmd ]]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W \"--state --help --version");
	for (const struct mm_cmd *const *c = mm_cmds; *c; c++)
		printf(" %s", (*c)->name);
	printf("\" -- \"$cur\")\n\t\treturn\n\tfi\n"
	       "\tif ((COMP_CWORD == i + 1)); then\n\t\tcase $cmd in\n");
	for (const struct mm_cmd *const *c = mm_cmds; *c; c++) {
		if (!has_words(*c))
			continue;
		printf("\t\t%s)\n\t\t\tmapfile -t COMPREPLY < <(compgen -W \"", (*c)->name);
		print_words((*c)->usage);
		printf("\" -- \"$cur\")\n\t\t\treturn\n\t\t\t;;\n");
	}
	printf("\t\tesac\n\tfi\n\tif [[ ${COMP_WORDS[COMP_CWORD - 1]} == --format ]]; then\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -W \"");
	for (const struct mm_output *const *f = mm_outputs; *f; f++)
		printf("%s%s", f != mm_outputs ? " " : "", (*f)->name);
	printf("\" -- \"$cur\")\n\t\treturn\n\tfi\n"
	       "\tif [[ $cur == -* ]]; then\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -W \"--json --help --reason\" -- "
	       "\"$cur\")\n\t\treturn\n\tfi\n"
	       "\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n}\n"
	       "complete -o filenames -F _mailmuster mailmuster\n");
}

static int run(struct mm_ctl *c, int argc, char **argv)
{
	const struct mm_opt opts[] = {{.name = NULL}};
	const struct mm_args args = {.what = "completion",
	    .operands = "bash",
	    .about = "Print a completion script for the shell: source <(mailmuster completion bash)",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	int rc = mm_ctl_args(&args, &argc, argv);

	(void)c;
	if (rc >= 0)
		return rc;
	if (!mm_streq(argv[0], "bash"))
		return mm_ctl_usage("completion", "only bash is known");
	bash();
	return MM_EX_OK;
}

const struct mm_cmd mm_cmd_completion = {"completion", "bash", "completion for the shell", run};
