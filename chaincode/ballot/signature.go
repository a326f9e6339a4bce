package ballot

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"math/big"

	"concordat/chaincode/refusal"
)

// Verify refuses (SIGNATURE_INVALID) a ballot that the key did not sign. The
// key is a P-256 point in SEC 1's uncompressed form; r and s must be in
// 1..n-1, and s may be high (WebCrypto does not normalise it).
func (s *Signed) Verify(point []byte) error {
	return verify(point, s.Signature, s.SigningInput)
}

// verify refuses (SIGNATURE_INVALID) a signature that the key did not make.
func verify(point, signature, signingInput []byte) error {
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return refusal.New(refusal.SignatureInvalid, "the key is no P-256 point")
	}
	if len(signature) != SignatureSize {
		return refusal.New(refusal.SignatureInvalid, "%d bytes", len(signature))
	}
	sum := sha256.Sum256(signingInput)
	r := new(big.Int).SetBytes(signature[:SignatureSize/2])
	t := new(big.Int).SetBytes(signature[SignatureSize/2:])
	// ecdsa.Verify refuses zero and anything of the curve's order or above.
	if !ecdsa.Verify(key, sum[:], r, t) {
		return refusal.New(refusal.SignatureInvalid, "")
	}
	return nil
}
