import { IsochronError } from "../../errors.ts";

/** One text for every refusal, so that none tells whether it was the user, the domain or the password. */
export function refused(cause?: unknown): IsochronError {
  return new IsochronError(
    "not-signed-in",
    "The identity service does not vouch for this sign-in.",
    "Check what you typed, or sign in again; an account or a project may be disabled.",
    cause === undefined ? undefined : { cause },
  );
}

/** The identity service `name` could not be asked, or answered with what cannot be read. */
export function unavailable(name: string, why: string, cause?: unknown): IsochronError {
  return new IsochronError(
    "identity-unavailable",
    `The identity service ${name} cannot be asked: ${why}.`,
    "Try again in a while; an operator sees more with `isochron doctor`.",
    cause === undefined ? undefined : { cause },
  );
}

/** The password was right, and Keystone asks for more than one factor of this user. */
export function factorAsked(): IsochronError {
  return new IsochronError(
    "not-signed-in",
    "Keystone asks this user for another factor, which cannot be given here.",
    "Sign in elsewhere (`openstack token issue`) and use the token.",
  );
}
