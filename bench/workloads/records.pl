# Splits lines into records, indexes them by field, substitutes, sorts, joins.
use strict;
use warnings;

my $seed = 3;
sub random { $seed = ($seed * 1103515245 + 12345) % 2147483648; return int($seed / 65536) % $_[0]; }

my @lines = map {
    join(",", $_, "user" . random(200), "group" . random(12), random(100000), "note " x (1 + random(6)))
} 1 .. 1500;

my (%by_user, %by_group);
for my $line (@lines) {
    my ($id, $user, $group, $amount, $note) = split /,/, $line;
    $note =~ s/note/n$id/g;
    my %record = (id => $id, user => $user, group => $group, amount => $amount, note => $note);
    push @{ $by_user{$user} }, \%record;
    $by_group{$group} += $amount;
}

for my $user (sort keys %by_user) {
    my @sorted = sort { $b->{amount} <=> $a->{amount} } @{ $by_user{$user} };
    $by_user{$user} = [ @sorted[0 .. ($#sorted < 2 ? $#sorted : 2)] ];
}
print join(" ", map { "$_=$by_group{$_}" } sort keys %by_group), "\n";
print scalar(keys %by_user), "\n";
