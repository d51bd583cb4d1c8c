/**
 * Paths with parameters, as typed znodes have them: `/config/:service`.
 */
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Effect from "effect/Effect"

/** The path with its parameters, or the rule that one of them breaks. */
export const fillIn = (
  template: string,
  params: { readonly [name: string]: string | undefined }
): Effect.Effect<string, InvalidArgument> => {
  const names = template.split("/")
  for (let index = 0; index < names.length; index++) {
    const name = names[index]
    if (name === undefined || !name.startsWith(":")) continue
    const parameter = name.slice(1)
    const value = params[parameter]
    const rule = parameter === "" ? 'a parameter needs a name after the ":"' : parameterRule(value)
    if (rule !== undefined) {
      return Effect.fail(new InvalidArgument({ argument: `${parameter} in ${template}`, value: String(value), rule }))
    }
    names[index] = value ?? ""
  }
  return Effect.succeed(names.join("/"))
}

const parameterRule = (value: string | undefined): string | undefined => {
  if (typeof value !== "string") return "a parameter of a path must be a string"
  if (value === "") return "a parameter of a path must not be empty"
  if (value.includes("/")) return 'a parameter of a path is one name, and must not have a "/"'
  return ZnodePath.check(`/${value}`)
}

export const parentOf = (template: string): string => {
  const slash = template.lastIndexOf("/")
  return slash <= 0 ? "/" : template.slice(0, slash)
}
