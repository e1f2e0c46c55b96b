// What people call a scope: its name, or its title where the name was made by machines.

/** A scope, and its title where it has one. */
export interface NamedScope {
  readonly name: string;
  readonly title: string;
}

/** A name that machines gave, perhaps with a word behind it that tells it from others of the same title. */
export const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.(.+))?$/i;
/** A piece of a digest at the end of a name tells titles apart that would give the same name. */
const MARK = /-[0-9a-f]{6}$/;

/** Tells whether a name tells people less than its title: a UUID, or what a title leaves of itself where a name cannot hold it all. */
export function isMadeName({ name, title }: NamedScope): boolean {
  if (title === "" || title === name) return false;
  if (UUID.test(name)) return true;
  const letters = lettersOf(title);
  return [name, name.replace(MARK, "")].some(
    (one) => lettersOf(one) === letters || (letters === "" && one === "unnamed"),
  );
}

/** Says what people call a scope. */
export function calledOf(scope: NamedScope): string {
  return isMadeName(scope) ? scope.title : scope.name;
}

function lettersOf(text: string): string {
  return text.replace(/[^A-Za-z0-9]+/g, "");
}
