// Lays out --help: on a narrow terminal descriptions stand below what they describe.
import { Help, type HelpConfiguration } from 'commander';

const LEAST_BESIDE = 28;
const INDENT = ' '.repeat(6);

/** For commander's `configureHelp`. Verbs are listed by name; their own help has their arguments. */
export const HELP: HelpConfiguration = {
  minWidthToWrap: 20,
  subcommandTerm: (command) => command.name(),
  formatItem(term: string, termWidth: number, description: string, helper: Help): string {
    const most = helper.helpWidth ?? 80;
    if (description === '' || most - termWidth >= LEAST_BESIDE)
      return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
    return `  ${term}\n${INDENT}${helper.boxWrap(description, most - INDENT.length).replaceAll('\n', `\n${INDENT}`)}`;
  },
};
