/**
 * What TypeDoc is told beside its options.
 *
 * - Modules are named as they are imported, `client/ZooKeeper`, and begin with the comment at the top of their file.
 * - Errors made from a Schema show their fields alone: not the expression that they extend, nor the message of every error.
 * - A table that only repeats the names of type parameters is left out; the signature above it has them.
 * - Each heading has an id of its own in its page; where links lead to it, the id that they have.
 */
import * as Fs from "node:fs"
import { Comment, Converter, ReflectionKind } from "typedoc"
import { MarkdownPageEvent } from "typedoc-plugin-markdown"

export function load(app) {
  /** Classes that extend the result of a call. */
  const computed = new Set()

  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.Module)) return
    reflection.comment = new Comment([{ kind: "text", text: firstComment(`../${reflection.name}.ts`) }])
    reflection.name = reflection.name.replace("/src/", "/")
  })

  // Before members are grouped, and after the hierarchy of types has been written.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const declared of project.getReflectionsByKind(ReflectionKind.Class)) {
      if (declared.extendedTypes?.some(({ type }) => type !== "reference")) computed.add(declared)
    }
    for (const declared of computed) {
      for (const member of [...(declared.children ?? [])]) {
        if (member.kindOf(ReflectionKind.Constructor) || member.name === "message") project.removeReflection(member)
      }
    }
  })
  app.converter.on(Converter.EVENT_RESOLVE_END, () => computed.forEach(showFieldsAlone), -10_000)

  app.renderer.on(MarkdownPageEvent.END, (page) => {
    const text = page.model.kindOf(ReflectionKind.Project) ? overview(page.model) : (page.contents ?? "")
    page.contents = withIds(
      text.replaceAll(/^#+ Type Parameters.*\n\n\| Type Parameter \|\n\| -+ \|\n(?:\|.*\n)+\n/gm, "")
    )
  })
}

/** The first page: the modules of each package, each with the first sentence of its comment. */
function overview(project) {
  const packages = Map.groupBy(project.children ?? [], ({ name }) => name.split("/")[0])
  return [introduction, ...order.map((name) => table(name, packages.get(name) ?? []))].join("\n")
}

/** The packages as the entry points have them: what applications use first comes first. */
const { entryPoints } = JSON.parse(Fs.readFileSync(new URL("typedoc.json", import.meta.url), "utf8"))
const order = entryPoints.map((files) => files.split("/")[1])

const introduction = `# API reference

Each page is one module, and is imported by its name: \`@effect-zookeeper/client/ZooKeeper\`. Most are in the index of their
package too: \`import { ZooKeeper } from "@effect-zookeeper/client"\`.
`

function table(name, modules) {
  const rows = modules.map((module) => {
    const text = Comment.combineDisplayParts(module.comment.summary).replaceAll(/\s+/g, " ")
    return `| [${module.name.split("/")[1]}](${module.name}.md) | ${text.slice(0, text.search(/[.:;] |\.$/))} |`
  })
  return [`## @effect-zookeeper/${name}`, "", "| module | what it is |", "| --- | --- |", ...rows, ""].join("\n")
}

/** The comment at the top of a file, without its tags. */
function firstComment(file) {
  const source = Fs.readFileSync(new URL(file, import.meta.url), "utf8")
  const comment = /^\/\*\*([^]*?)\*\//.exec(source)?.[1] ?? ""
  return comment
    .replaceAll(/^ *\* ?/gm, "")
    .replaceAll(/^@.*$/gm, "")
    .trim()
}

/** Gives each heading an id: the one that it has, or one of its title where it has none or another has the same. */
function withIds(text) {
  const wanted = new Set(Array.from(text.matchAll(heading), (match) => match.groups.id))
  const taken = new Set()
  return text.replaceAll(heading, (...match) => {
    const { fence, id: own, level, title } = match.at(-1)
    if (fence !== undefined) return fence
    let id = own
    for (let n = 0; id === undefined || taken.has(id); n++) {
      const candidate = title
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, "-")
        .replaceAll(/^-|-$/g, "")
        .concat(n === 0 ? "" : `-${n}`)
      id = wanted.has(candidate) ? undefined : candidate
    }
    taken.add(id)
    return `${level} ${title} {#${id}}`
  })
}

/** A heading with its id, or a block of code, in which none is looked for. */
const heading = /(?<fence>^```[^]*?^```$)|^(?<level>#+) (?<title>.*?)(?: \{#(?<id>[^}]+)\})?$/gm

function showFieldsAlone(declared) {
  delete declared.extendedTypes
  delete declared.typeHierarchy
  for (const member of declared.children ?? []) {
    for (const part of [member, member.getSignature, ...(member.signatures ?? [])]) {
      delete part?.inheritedFrom
      delete part?.overwrites
    }
    delete member.defaultValue
  }
}
