import { assert, it } from "@effect/vitest"
import { declarationsOf } from "../../../../scripts/apiDeclarations.ts"

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

it("an API report shows what is exported from an internal module as the module's own", () => {
  const internal = `
/** Known by this name. */
export interface Ant {
    readonly legs: 6;
}
declare const Cat_base: object;
export declare class Cat extends Cat_base {
}
export type Hidden = string;
`
  const report = (text: string) =>
    declarationsOf(text, (path) => (path === "./internal/animals.ts" ? internal : undefined)).split("\n")
  const ant = ["export interface Ant {", "    readonly legs: 6;", "}"]
  const cat = ["export declare class Cat extends Cat_base {", "}", "declare const Cat_base: object;"]
  assert.deepStrictEqual(report('export { type Ant, Cat } from "./internal/animals.ts";'), [...ant, ...cat])
  assert.deepStrictEqual(report('export type { Ant } from "./Zoo.ts";'), ['export type { Ant } from "./Zoo.ts";'])
  assert.include(report('export * from "./internal/animals.ts";'), "export type Hidden = string;")
})
