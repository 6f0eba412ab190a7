// A real OpenID Connect provider for test_oidc.py, and what a false one would do: between it and its clients
// stands a server that changes ID tokens when it is told to (POST /_control {"change": NAME}).
//   node provider.mjs '{"port","cert","key","redirects":[…],"plain":bool}'
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

import { decodeJwt, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import Provider from "oidc-provider";

const asked = JSON.parse(process.argv[2]);
const issuer = `https://127.0.0.1:${asked.port}`;
const CLIENT = { client_id: "engawa", client_secret: "a secret: with / & signs+" };

async function newKey(kid) {
	const pair = await generateKeyPair("RS256", { modulusLength: 2048 });
	return { private: pair.privateKey, jwk: { ...(await exportJWK(pair.privateKey)), kid, use: "sig", alg: "RS256" }, kid };
}

function claimsOf(login) {
	return {
		sub: login,
		email: login.includes("@") ? login : `${login}@example.jp`,
		email_verified: !login.startsWith("unverified"),
		name: `Person ${login}`,
		preferred_username: login,
	};
}

function newProvider(key) {
	const provider = new Provider(issuer, {
		clients: [{ ...CLIENT, redirect_uris: asked.redirects, response_types: ["code"], grant_types: ["authorization_code"] }],
		jwks: { keys: [key.jwk] },
		claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username"] },
		scopes: ["openid", "email", "profile"],
		conformIdTokenClaims: Boolean(asked.plain),
		pkce: { methods: ["S256"], required: () => true },
		cookies: { keys: ["only for tests"] },
		findAccount: (ctx, id) => ({ accountId: id, claims: () => claimsOf(id) }),
	});
	return provider.callback();
}

let key = await newKey("first");
let serve = newProvider(key);
let change = "";
const counts = { jwks: 0, token: 0 };

// What each change makes of a token.
async function changed(token) {
	const claims = decodeJwt(token);
	const sign = (more, signer = key) => new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: "RS256", kid: signer.kid }).sign(signer.private);
	const now = Math.floor(Date.now() / 1000);
	switch (change) {
		case "nonce":
			return sign({ nonce: "another" });
		case "audience":
			return sign({ aud: "another" });
		case "party":
			return sign({ aud: ["engawa", "another"], azp: "another" });
		case "issuer":
			return sign({ iss: "https://another.example" });
		case "expired":
			return sign({ iat: now - 500, exp: now - 120 });
		case "future":
			return sign({ iat: now + 300, exp: now + 600 });
		case "none":
			return new UnsecuredJWT(claims).encode();
		case "secret":
			return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(CLIENT.client_secret.padEnd(64)));
		case "stranger":
			return sign({}, { ...(await newKey("first")) });
		case "otp":
			return sign({ amr: ["pwd", "otp"] });
		default:
			return token;
	}
}

// The answer of the provider, as a whole.
function gathered(request, response) {
	return new Promise((resolve) => {
		const parts = [];
		const { write, end } = response;
		response.write = (part) => parts.push(Buffer.from(part)) > 0;
		response.end = (part) => {
			if (part) parts.push(Buffer.from(part));
			response.write = write;
			response.end = end;
			resolve(Buffer.concat(parts));
			return response;
		};
		serve(request, response);
	});
}

async function token(request, response) {
	counts.token++;
	let body = await gathered(request, response);
	if (response.statusCode === 200) {
		const answer = JSON.parse(body);
		answer.id_token = await changed(answer.id_token);
		body = Buffer.from(JSON.stringify(answer));
	}
	response.setHeader("Content-Length", body.length);
	response.end(body);
}

async function control(request, response) {
	const parts = [];
	for await (const part of request) parts.push(part);
	const told = JSON.parse(Buffer.concat(parts));
	change = told.change ?? change;
	if (told.rotate) {
		key = await newKey(told.rotate);
		serve = newProvider(key);
	}
	response.end(JSON.stringify(counts));
}

const server = createServer({ cert: readFileSync(asked.cert), key: readFileSync(asked.key) }, (request, response) => {
	const path = request.url.split("?")[0];
	if (path === "/_control") return control(request, response);
	if (path === "/jwks") counts.jwks++;
	if (change === "long" && path === "/jwks") return response.end(`{"keys":[],"more":"${"x".repeat(1 << 20)}"}`);
	if (change === "away" && path === "/token") return request.socket.destroy();
	return path === "/token" ? token(request, response) : serve(request, response);
});
server.listen(asked.port, "127.0.0.1", () => console.log("ready"));
