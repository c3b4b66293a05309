/** The public names of the library with their types, as text. */
import { join } from "node:path";
import * as ts from "typescript";
import { root } from "./packed.js";

/** What users import, by the name they import it from. */
const entries = {
  ferrograd: "src/index.ts",
  "ferrograd/data": "src/data/index.ts",
  "ferrograd/train": "src/train/entry.ts",
  "ferrograd/plot": "src/plot/entry.ts",
};

/** Everything that the entries export, a line a name. */
export function apiReport(): string {
  const configFile = join(root, "tsconfig.build.json");
  const { config } = ts.readConfigFile(configFile, (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const files = Object.entries(entries).map(([title, path]) => [title, join(root, path)] as const);
  const program = ts.createProgram(
    files.map(([, file]) => file),
    options,
  );
  const checker = program.getTypeChecker();
  const moduleOf = (file: string): ts.Symbol =>
    checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
  return [
    "# The public API",
    "",
    "Every exported name with its type. Written by `test/package.test.ts`; do not edit.",
    ...files.flatMap(([title, file]) => sections(checker, moduleOf(file), title)),
    "",
  ].join("\n");
}

/** The exports of `module`, then those of each module it exports as a whole. */
function sections(checker: ts.TypeChecker, module: ts.Symbol, title: string): string[] {
  const lines: string[] = [];
  const nested: string[] = [];
  const exported = checker.getExportsOfModule(module);
  for (const symbol of exported.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const meant = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    if (meant.flags & ts.SymbolFlags.ValueModule) {
      nested.push(...sections(checker, meant, symbol.name));
    } else lines.push(...describe(checker, symbol.name, meant));
  }
  return ["", `## ${title}`, "", "```ts", ...lines, "```", ...nested];
}

const format: ts.TypeFormatFlags =
  ts.TypeFormatFlags.NoTruncation |
  ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope |
  ts.TypeFormatFlags.WriteArrowStyleSignature;

/** Shows what an alias stands for rather than its name. */
const aliasFormat: ts.TypeFormatFlags = format | ts.TypeFormatFlags.InTypeAlias;

function describe(checker: ts.TypeChecker, name: string, symbol: ts.Symbol): string[] {
  const { flags } = symbol;
  if (flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) {
    const kind = flags & ts.SymbolFlags.Class ? "class" : "interface";
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const made = kind === "class" ? constructors(checker, symbol) : [];
    const calls = type.getCallSignatures().map((call) => `  ${checker.signatureToString(call)}`);
    return [`${kind} ${name} {`, ...made, ...calls, ...members(checker, type), "}"];
  }
  if (flags & ts.SymbolFlags.TypeAlias) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    return [`type ${name} = ${checker.typeToString(type, undefined, aliasFormat)}`];
  }
  return [`${name}: ${checker.typeToString(checker.getTypeOfSymbol(symbol), undefined, format)}`];
}

const isHidden = (declaration: ts.Declaration | undefined): boolean =>
  !declaration ||
  (ts.getCombinedModifierFlags(declaration) &
    (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !==
    0 ||
  ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === "internal");

function constructors(checker: ts.TypeChecker, symbol: ts.Symbol): string[] {
  return checker
    .getTypeOfSymbol(symbol)
    .getConstructSignatures()
    .filter(({ declaration }) => !declaration || !isHidden(declaration))
    .map((signature) => `  new ${checker.signatureToString(signature, undefined, format)}`);
}

/** The public members that a type declares itself. */
function members(checker: ts.TypeChecker, type: ts.Type): string[] {
  const isOwn = ({ name, declarations = [] }: ts.Symbol): boolean =>
    !name.startsWith("#") &&
    !isHidden(declarations[0]) &&
    (type.symbol.declarations ?? []).some((owner) => owner === declarations[0]!.parent);
  return checker
    .getPropertiesOfType(type)
    .filter(isOwn)
    .map((member) => {
      const symbolName = /^__@(\w+)@/.exec(member.name)?.[1];
      const optional = member.flags & ts.SymbolFlags.Optional;
      const shown = checker.getTypeOfSymbol(member);
      const memberType = optional ? checker.getNonNullableType(shown) : shown;
      const text = checker.typeToString(memberType, undefined, format);
      const name = symbolName ? `[Symbol.${symbolName}]` : member.name;
      return `  ${name}${optional ? "?" : ""}: ${text}`;
    });
}
