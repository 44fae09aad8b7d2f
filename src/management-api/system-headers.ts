/** The caller's identity, sent to the API with every request; all of it is public. */
export type SystemIdentity = {
  readonly name: string
  readonly version: string
  readonly pluginName: string
  readonly pluginVersion: string
}

/** The Vipps-System-* headers, each cut to the API's maximum of 30 characters. */
export function systemHeaders(system: SystemIdentity): Readonly<Record<string, string>> {
  return {
    'Vipps-System-Name': system.name.slice(0, 30),
    'Vipps-System-Version': system.version.slice(0, 30),
    'Vipps-System-Plugin-Name': system.pluginName.slice(0, 30),
    'Vipps-System-Plugin-Version': system.pluginVersion.slice(0, 30),
  }
}
