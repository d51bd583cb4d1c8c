/**
 * What TypeDoc is told beside its options.
 *
 * - Modules are named as they are imported: `client/ZooKeeper`.
 * - Errors made from a Schema show their fields alone, without the expression that they extend.
 * - A table that only repeats the names of type parameters is left out; the signature above it has them.
 * - Each heading has an id of its own in its page; where links lead to it, the id that they have.
 */
import { Converter, ReflectionKind } from "typedoc"
import { MarkdownPageEvent } from "typedoc-plugin-markdown"

export function load(app) {
  /** Classes that extend the result of a call. */
  const computed = new Set()

  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    if (reflection.kindOf(ReflectionKind.Module)) reflection.name = reflection.name.replace("/src/", "/")
  })

  // Before members are grouped, and after the hierarchy of types has been written.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const declared of project.getReflectionsByKind(ReflectionKind.Class)) {
      if (declared.extendedTypes?.some(({ type }) => type !== "reference")) computed.add(declared)
    }
    for (const declared of computed) {
      for (const member of [...(declared.children ?? [])]) {
        if (member.kindOf(ReflectionKind.Constructor)) project.removeReflection(member)
      }
    }
  })
  app.converter.on(Converter.EVENT_RESOLVE_END, () => computed.forEach(showFieldsAlone), -10_000)

  app.renderer.on(MarkdownPageEvent.END, (page) => {
    page.contents = withIds(
      page.contents?.replaceAll(/^#+ Type Parameters.*\n\n\| Type Parameter \|\n\| -+ \|\n(?:\|.*\n)+\n/gm, "") ?? ""
    )
  })
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
