import { IsochronError } from "../../errors.ts";
import type { SignInService } from "../../model/sign-in-service.ts";
import { Keystone } from "./keystone.ts";
import type { KeystoneSettings, ServiceCredential } from "./keystone-settings.ts";
import type { OidcSettings } from "./oidc-settings.ts";

interface KeystoneConfig extends Omit<KeystoneSettings, "ca" | "service"> {
  readonly kind: "keystone";
  readonly caFile?: string;
  /** With references in place of secrets. */
  readonly service: ServiceCredential;
}

interface OidcConfig extends Omit<OidcSettings, "ca" | "clientSecret"> {
  readonly kind: "oidc";
  readonly caFile?: string;
  /** A reference. */
  readonly clientSecret?: string;
}

/**
 * Builds what is configured; none is asked yet. `reveal` gives the text behind `env:NAME` or `file:PATH`. Throws
 * `config-invalid` where a CA's file cannot be read.
 */
export async function openSignInServices(
  configs: readonly (KeystoneConfig | OidcConfig)[],
  reveal: (reference: string) => string,
): Promise<readonly SignInService[]> {
  return Promise.all(
    configs.map(async ({ caFile, ...config }) => {
      const trust = caFile === undefined ? {} : { ca: reveal(`file:${caFile}`) };
      if (config.kind === "keystone") {
        const { service, ...settings } = config;
        // Looked up each time it is used, so that a secret can be replaced while the server runs.
        return new Keystone({ ...settings, ...trust, service: () => revealService(service, reveal) });
      }
      const { clientSecret, ...settings } = config;
      // Loaded where it is used only, so that commands start without it.
      const { OpenIdConnect } = await import("./oidc.ts");
      return new OpenIdConnect({
        ...settings,
        ...trust,
        ...(clientSecret === undefined ? {} : { clientSecret: () => reveal(clientSecret) }),
      });
    }),
  );
}

function revealService(service: ServiceCredential, reveal: (reference: string) => string): ServiceCredential {
  return service.kind === "password"
    ? { ...service, password: reveal(service.password) }
    : { ...service, secret: reveal(service.secret) };
}

/** Asks each once whether it answers. */
export async function probeSignInServices(
  services: readonly SignInService[],
): Promise<readonly { readonly name: string; readonly problem?: string }[]> {
  return Promise.all(
    services.map(async (service) => {
      const { name } = service;
      try {
        await service.probe();
        return { name };
      } catch (error) {
        if (!(error instanceof IsochronError)) throw error;
        return { name, problem: error.problem };
      }
    }),
  );
}
