// What the reference lacks: public symbols without a comment, functions and classes without an example.
import { type DeclarationReflection, type ProjectReflection, type Reflection, ReflectionKind } from "typedoc";

const named =
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.TypeAlias |
  ReflectionKind.Variable |
  ReflectionKind.Function |
  ReflectionKind.Property |
  ReflectionKind.Method |
  ReflectionKind.Accessor;

export function lacking(project: ProjectReflection): string[] {
  const all = project.getReflectionsByKind(named).filter((one) => one.isDeclaration() && !isInline(one));
  return (all as DeclarationReflection[]).flatMap((one) => {
    const comments = [one, ...(one.signatures ?? []), one.getSignature, one.setSignature].flatMap(
      (part) => part?.comment ?? [],
    );
    const file = one.sources?.[0]?.fileName ?? "a dependency";
    if (isForeign(file)) return [];
    if (!comments.some((comment) => comment.hasVisibleComponent() || comment.getTag("@default")))
      return `${file}: ${one.getFullName()} has no comment`;
    if (comments.some((comment) => comment.getTag("@example") || comment.getTag("@deprecated")) || !needsExample(one))
      return [];
    return `${file}: ${one.getFullName()} has no @example`;
  });
}

/** A member of an unnamed type: the comment of the type's owner describes it. */
const isInline = (reflection: Reflection): boolean =>
  reflection.parent !== undefined &&
  (reflection.parent.kindOf(ReflectionKind.TypeLiteral) || isInline(reflection.parent));

/** A member that a class inherits from the language, such as an error's message. */
const isForeign = (file: string) => !file.startsWith("src/");

function needsExample(one: DeclarationReflection): boolean {
  if (one.kindOf(ReflectionKind.Function)) return true;
  // Errors are caught, not created. A class without a constructor has its example at the functions that return it.
  const made = one.children?.some((child) => child.kindOf(ReflectionKind.Constructor));
  return one.kindOf(ReflectionKind.Class) && made === true && !one.name.endsWith("Error");
}
