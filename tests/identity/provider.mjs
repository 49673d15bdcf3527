// An OpenID provider by others (npm: oidc-provider), where whoever POST /as names is at the browser.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [port, secret] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const accounts = new Map();
let present = "";

const provider = new Provider(issuer, {
  clients: [{
    client_id: "sojourn",
    client_secret: secret,
    redirect_uris: ["https://sojourn.example/sign-in/provider/callback"],
    grant_types: ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
  }, {
    // A pipeline, which gets tokens about itself for whatever audience it names.
    client_id: "pipeline",
    client_secret: secret,
    redirect_uris: [],
    response_types: [],
    grant_types: ["client_credentials"],
  }],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], groups: ["groups"] },
  scopes: ["openid", "profile", "groups"],
  conformIdTokenClaims: process.argv[4] === "userinfo",
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({ scope: "", audience: resource, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } }),
    },
  },
  extraTokenClaims: (_, token) => accounts.get(token.clientId),
  pkce: { required: () => true },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts.get(id) }) }),
  // Nobody is asked whether Sojourn may know them: it is the company's own.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile groups");
    await grant.save();
    return grant;
  },
});
provider.Client.prototype.redirectUriAllowed = (uri) => /^http:\/\/localhost:\d+\/sign-in\/provider\/callback$/.test(uri);

const handle = provider.callback();
createServer(async (request, response) => {
  if (request.method === "POST" && request.url === "/as") {
    let sent = "";
    for await (const part of request) sent += part;
    const { sub, ...claims } = JSON.parse(sent);
    accounts.set(sub, claims);
    present = sub;
    response.end("{}");
  } else if (request.url.startsWith("/interaction/")) {
    const result = present ? { login: { accountId: present } } : { error: "access_denied", error_description: "not today" };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  } else {
    handle(request, response);
  }
}).listen(Number(port), "127.0.0.1", () => console.log("up"));
