import { assert, it } from "@effect/vitest"
import { declarationsOf, internalDeclarationsOf } from "../../../../scripts/apiDeclarations.ts"

it("an API report has declarations in the order of their names, overloads in their own, and no comment or import", () => {
  const declarations = `
/** About the module. */
import type * as Option from "effect/Option";
// A remark.
export interface Zoo {
    /** Not a comment: "// within" a comment. */
    readonly url: "https://example.org" | \`/*\${string}*/\`;
}
export declare const b: number;
export declare function a(x: string): string;
export declare function a(x: number): number;
declare const Base: {
    new (): object;
};
export declare class Few extends Base {
}
export * from "./Other.ts";
export {};
`
  assert.deepStrictEqual(declarationsOf(declarations).split("\n"), [
    'export * from "./Other.ts";',
    "declare const Base: {",
    "    new (): object;",
    "};",
    "export declare class Few extends Base {",
    "}",
    "export interface Zoo {",
    '    readonly url: "https://example.org" | `/*${string}*/`;',
    "}",
    "export declare function a(x: string): string;",
    "export declare function a(x: number): number;",
    "export declare const b: number;"
  ])
})

it("an API report has the declarations of internal modules that a module exports or uses, and no others", () => {
  const files: Readonly<Record<string, string>> = {
    "Lock.ts": `
import { type Base, type Unused } from "./internal/options.ts";
import * as Queue from "./internal/locks/queue.ts";
export type { Layout as Names } from "./internal/locks/queue.ts";
export * from "./internal/all.ts";
export interface Options extends Base {
    readonly who: Queue.Contender;
}
`,
    "internal/options.ts": "export interface Base {\n}\nexport interface Unused {\n}\n",
    "internal/all.ts": "declare const hidden: 1;\nexport declare const shown: 2;\nexport {};\n",
    "internal/locks/queue.ts": `
import type { Base } from "../options.ts";
export type Layout = "a" | "b";
export interface Contender extends Node {
}
interface Node {
    readonly base: Base;
}
export declare const join: (layout: Layout) => void;
`
  }
  assert.deepStrictEqual(internalDeclarationsOf("Lock.ts", (file) => files[file] ?? "").split("\n"), [
    "export interface Base {",
    "}",
    "export interface Contender extends Node {",
    "}",
    'export type Layout = "a" | "b";',
    "interface Node {",
    "    readonly base: Base;",
    "}",
    "export declare const shown: 2;"
  ])
})
