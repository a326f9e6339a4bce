package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

// thumbprint is x5t#S256: base64url of the SHA-256 of a certificate's DER.
func thumbprint(der []byte) string {
	sum := sha256.Sum256(der)
	return canonical.Base64(sum[:])
}

// checkIssuer refuses (ISSUER_FORMAT) what is not the self-signed certificate
// of a CA with a P-256 key.
func checkIssuer(der []byte) error {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return refusal.Because(refusal.IssuerFormat, err)
	}
	if !certificate.BasicConstraintsValid || !certificate.IsCA {
		return refusal.New(refusal.IssuerFormat, "not a CA certificate")
	}
	if key, ok := certificate.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return refusal.New(refusal.IssuerFormat, "its key is not P-256")
	}
	if !certificate.NotBefore.Before(certificate.NotAfter) {
		return refusal.New(refusal.IssuerFormat, "never valid")
	}
	// A root of its own (and CheckSignatureFrom demands keyCertSign).
	if err := certificate.CheckSignatureFrom(certificate); err != nil {
		return refusal.New(refusal.IssuerFormat, "not signed by itself: %v", err)
	}
	return nil
}

var commonNameOID = asn1.ObjectIdentifier{2, 5, 4, 3}

// commonNames lists every CN of a certificate's subject; pkix keeps the last.
func commonNames(certificate *x509.Certificate) []any {
	var names []any
	for _, attribute := range certificate.Subject.Names {
		if attribute.Type.Equal(commonNameOID) {
			names = append(names, attribute.Value)
		}
	}
	return names
}

// verifyLender checks a lender's certificate:
//
//  1. it is an X.509 certificate (CERT_FORMAT)
//  2. its period is not empty (CERT_FORMAT)
//  3. its key is P-256 and no CA's (CERT_KEY)
//  4. its one CN is the pseudonym (CERT_SUBJECT)
//  5. it chains to the issuer at its own notBefore (CERT_CHAIN); there is no
//     clock here, so expiry is the issuer's and the sessions' business
func verifyLender(der []byte, sub string, issuer *x509.Certificate) error {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return refusal.Because(refusal.CertFormat, err)
	}
	if !certificate.NotBefore.Before(certificate.NotAfter) {
		return refusal.New(refusal.CertFormat, "never valid")
	}
	if certificate.IsCA {
		return refusal.New(refusal.CertKey, "a CA certificate")
	}
	key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return refusal.New(refusal.CertKey, "")
	}
	if names := commonNames(certificate); len(names) != 1 || names[0] != sub {
		return refusal.New(refusal.CertSubject, "")
	}
	roots := x509.NewCertPool()
	roots.AddCert(issuer)
	options := x509.VerifyOptions{
		Roots:         roots,
		Intermediates: x509.NewCertPool(),
		CurrentTime:   certificate.NotBefore,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	if _, err := certificate.Verify(options); err != nil {
		return refusal.Because(refusal.CertChain, err)
	}
	return nil
}
